import { enableCompileCache, type ResolveFnOutput, type ResolveHookSync, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * What the doors import, without what is slow about it. Node parses a package's `exports` again for each of its modules that it
 * imports, and drizzle-orm has 130 kB of them for 200 modules: a second and much garbage on the way to the first line.
 * Its relative imports need none of that, as all of them are modules beside each other.
 */

const PACKAGE = 'drizzle-orm';
const WITHIN = `/node_modules/${PACKAGE}/`;

/** Resolves as `load` does, which imports modules. Nothing of this stays behind. */
export async function quickly<T>(load: () => Promise<T>): Promise<T> {
  const hooks = registerHooks({ resolve: resolverOnce() });
  try {
    return await load();
  } finally {
    hooks.deregister();
  }
}

/** Code compiled once, types stripped, is kept in node_modules; where that cannot be written to, nothing is. */
export function keepCompiled(): void {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
}

/** Remembers each entrance of the package, and leads from there without looking. */
export function resolverOnce(): ResolveHookSync {
  const entrances = new Map<string, ResolveFnOutput>();
  return (specifier, context, next) => {
    const { parentURL } = context;
    if (specifier.startsWith('.') && parentURL?.endsWith('.js') === true && parentURL.includes(WITHIN))
      return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
    if (specifier !== PACKAGE && !specifier.startsWith(`${PACKAGE}/`)) return next(specifier, context);
    const found = entrances.get(specifier) ?? next(specifier, context);
    entrances.set(specifier, found);
    return { ...found, shortCircuit: true };
  };
}
