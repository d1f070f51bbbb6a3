import { dirname, posix } from 'node:path';

/** A source file: its path from the repository's root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly problem: string;
}

interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** The layers it may import, besides itself. */
  readonly imports: readonly string[];
  /** The packages it may import; `node:*` stands for Node's own modules. */
  readonly packages: readonly string[] | 'any';
}

const DOMAIN = ['domain/base', 'domain/time', 'domain/entities', 'domain/ports', 'domain/services'];
const FASTIFY = ['fastify', '@fastify/*', 'fastify-plugin', 'fastify-type-provider-zod', 'zod', 'node:*'];

/** The import table of the house, first match wins. Nobody imports a door but another door. */
export const LAYERS: readonly Layer[] = [
  { name: 'domain/base', files: /^src\/domain\/[^/]+\.ts$/, imports: [], packages: [] },
  { name: 'domain/time', files: /^src\/domain\/time\//, imports: ['domain/base'], packages: [] },
  {
    name: 'domain/entities',
    files: /^src\/domain\/entities\//,
    imports: ['domain/base', 'domain/time'],
    packages: [],
  },
  {
    name: 'domain/ports',
    files: /^src\/domain\/ports\//,
    imports: ['domain/base', 'domain/time', 'domain/entities'],
    packages: [],
  },
  { name: 'domain/services', files: /^src\/domain\/services\//, imports: DOMAIN, packages: ['#crash-point'] },
  { name: 'app/middleware', files: /^src\/app\/middleware\//, imports: DOMAIN, packages: FASTIFY },
  { name: 'app/routes', files: /^src\/app\/routes\//, imports: [...DOMAIN, 'app/middleware'], packages: FASTIFY },
  { name: 'app/workers', files: /^src\/app\/workers\//, imports: DOMAIN, packages: ['node:*', '#crash-point'] },
  {
    name: 'app/server',
    files: /^src\/app\/[^/]+\.ts$/,
    imports: [...DOMAIN, 'app/middleware', 'app/routes'],
    packages: FASTIFY,
  },
  { name: 'infra/telemetry', files: /^src\/infra\/telemetry\//, imports: DOMAIN, packages: 'any' },
  { name: 'infra/db', files: /^src\/infra\/db\//, imports: [...DOMAIN, 'infra/telemetry'], packages: 'any' },
  {
    name: 'infra/repo',
    files: /^src\/infra\/repo\//,
    imports: [...DOMAIN, 'infra/telemetry', 'infra/db'],
    packages: 'any',
  },
  {
    name: 'infra/messaging',
    files: /^src\/infra\/messaging\//,
    imports: [...DOMAIN, 'infra/telemetry'],
    packages: 'any',
  },
  {
    name: 'infra/security',
    files: /^src\/infra\/security\//,
    imports: [...DOMAIN, 'infra/telemetry'],
    packages: 'any',
  },
  { name: 'client', files: /^src\/client\//, imports: [], packages: ['openapi-fetch'] },
  {
    name: 'doors',
    files: /^src\/[^/]+\.ts$/,
    imports: [
      ...DOMAIN,
      ...['app/middleware', 'app/routes', 'app/workers', 'app/server'],
      ...['infra/telemetry', 'infra/db', 'infra/repo', 'infra/messaging', 'infra/security'],
    ],
    packages: 'any',
  },
];

interface TextRule {
  readonly name: string;
  readonly pattern: RegExp;
  readonly exempt: RegExp | null;
}

/** What no source file says, comments aside. */
export const TEXT_RULES: readonly TextRule[] = [
  { name: 'reads process.env', pattern: /\bprocess\s*(\.|\?\.|\[\s*['"])\s*env\b/, exempt: /^src\/config\.ts$/ },
  {
    name: 'takes env out of process',
    pattern: /\benv\b[^;{}]*\}\s*=\s*process\b|\benv\b[^;{}]*\}\s*from\s*['"]node:process/,
    exempt: /^src\/config\.ts$/,
  },
  { name: 'has a default export', pattern: /\bexport\s+default\b|\bas\s+default\b/, exempt: null },
  {
    name: 'is a barrel',
    pattern: /\bexport\s+(type\s+)?(\*|\{[^}]*\})\s*(as\s+\w+\s*)?from\b/,
    exempt: /^src\/index\.ts$/,
  },
  { name: 'uses setInterval', pattern: /\bsetInterval\b/, exempt: null },
];

const MAX_LINES = 250;
/** By the test of the client. */
const GENERATED = 'src/client/schema.ts';

/** Everything in these files that the house forbids. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const text = withoutComments(file.text);
    const problems = [...forbiddenImports(file.path, text), ...forbiddenText(file.path, text), ...tooLong(file)];
    return problems.map((problem) => ({ path: file.path, problem }));
  });
}

/** What a file imports, exports from or loads: the module names as written. */
export function importsOf(text: string): string[] {
  const statement = /\b(?:import|export)\b(?:\s+type\b)?\s*(?:[\w$*{][^'"`;]*?\bfrom\s*)?(['"])([^'"\n]+)\1/g;
  const call = /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g;
  return [statement, call].flatMap((pattern) => [...text.matchAll(pattern)].map(([, , name]) => name ?? ''));
}

function forbiddenImports(path: string, text: string): string[] {
  const layer = layerOf(path);
  if (layer === undefined) {
    return ['belongs to no layer'];
  }
  return importsOf(text).flatMap((name) =>
    name.startsWith('.') ? forbiddenFile(layer, path, name) : forbiddenPackage(layer, name),
  );
}

function forbiddenFile(layer: Layer, path: string, name: string): string[] {
  const target = posix.join(dirname(path), name);
  if (target === 'package.json' && layer.name === 'doors') {
    return [];
  }
  const imported = layerOf(target);
  const allowed = imported !== undefined && (imported === layer || layer.imports.includes(imported.name));
  return allowed ? [] : [`${layer.name} may not import ${imported?.name ?? target} (${target})`];
}

function forbiddenPackage(layer: Layer, name: string): string[] {
  const { packages } = layer;
  const allowed =
    packages === 'any' ||
    packages.some((pattern) =>
      pattern.endsWith('*')
        ? name.startsWith(pattern.slice(0, -1))
        : name === pattern || name.startsWith(`${pattern}/`),
    );
  return allowed ? [] : [`${layer.name} may not import ${name}`];
}

function forbiddenText(path: string, text: string): string[] {
  return TEXT_RULES.filter(({ pattern, exempt }) => exempt?.test(path) !== true && pattern.test(text)).map(
    ({ name }) => name,
  );
}

function tooLong({ path, text }: SourceFile): string[] {
  if (path === GENERATED) return [];
  const lines = text.trimEnd().split('\n').length;
  return lines > MAX_LINES ? [`has ${lines} lines, more than ${MAX_LINES}`] : [];
}

function layerOf(path: string): Layer | undefined {
  return LAYERS.find(({ files }) => files.test(path));
}

/** Leaves strings alone: a comment begins outside of them. */
function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith('/') ? ' ' : found));
}
