import { type Profiler, Session } from 'node:inspector/promises';

/** A part of the program: the source files, or `file#function`, by whose code it is known. */
export type Parts = Readonly<Record<string, readonly string[]>>;

const SAMPLE_EVERY_US = 250;
/** Not at work. */
const RESTING = new Set(['(idle)', '(program)', '(root)']);

/**
 * Shares of the time this process was at work during `work` that its parts had, by a CPU profile. A sample counts for the part whose code is
 * nearest to the top of its stack; `besides` is left out of the whole.
 */
export async function sharesOf(
  parts: Parts,
  besides: readonly string[],
  work: () => Promise<unknown>,
): Promise<ReadonlyMap<string, number>> {
  using session = openSession();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  const tookUs = timeByNode(profile);
  const partOf = partFinder(profile, { ...parts, [BESIDES]: besides });
  const spent = new Map<string, number>();
  for (const [id, us] of tookUs) spent.set(partOf(id), (spent.get(partOf(id)) ?? 0) + us);
  spent.delete(BESIDES);
  spent.delete(RESTED);
  const whole = [...spent.values()].reduce((sum, us) => sum + us, 0);
  return new Map([...spent].map(([part, us]) => [part, us / whole]));
}

/** Where no part is named. */
export const THE_REST = 'the rest';
const BESIDES = 'besides';
const RESTED = 'rested';

function openSession(): Session & Disposable {
  const session = new Session();
  session.connect();
  return Object.assign(session, { [Symbol.dispose]: () => session.disconnect() });
}

function timeByNode({ samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyMap<number, number> {
  const spent = new Map<number, number>();
  for (const [index, id] of samples.entries()) spent.set(id, (spent.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  return spent;
}

function partFinder({ nodes }: Profiler.Profile, parts: Parts): (id: number) => string {
  const places = Object.entries(parts).flatMap(([part, names]) => names.map((name) => ({ part, name })));
  const own = new Map<number, string | null>();
  const parents = new Map<number, number>();
  for (const { id, callFrame, children = [] } of nodes) {
    const { url, functionName } = callFrame;
    const found = places.find(({ name }) => `${url}#${functionName}`.includes(name));
    own.set(id, RESTING.has(functionName) ? RESTED : (found?.part ?? null));
    for (const child of children) parents.set(child, id);
  }
  return (id) => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const part = own.get(at) ?? null;
      if (part !== null && (part !== RESTED || at === id)) return part;
    }
    return THE_REST;
  };
}
