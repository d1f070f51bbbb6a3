import { type Received, Receiver } from '../support/receiver.ts';

/** What a target does: answers at once, or ever later; refuses a run's first delivery, to be tried again or never. */
export type TargetKind = 'quick' | 'brief' | 'slow' | 'long' | 'flaky' | 'deadly';

/** How long it takes: `slow` until a run in flight has been shown, which is looked for four times a second, `long` until a cancelled one has been aborted. */
const DELAY_MS: Readonly<Record<TargetKind, number>> = {
  ...{ quick: 0, brief: 250, slow: 1_400, long: 3_000 },
  ...{ flaky: 0, deadly: 0 },
};

/** The targets of some cases, each case on paths of its own. */
export interface Targets extends AsyncDisposable {
  urlOf(name: string, kind: TargetKind): string;
  /** What was delivered to the targets of a case. */
  received(name: string): readonly Received[];
  /** How many of its deliveries wait for their answer. */
  pending(name: string): number;
}

export async function startTargets(): Promise<Targets> {
  const pending = new Map<string, number>();
  const count = (name: string, by: number): void => void pending.set(name, (pending.get(name) ?? 0) + by);
  const seen = new Set<string>();
  const receiver = await Receiver.start(({ path, headers }) => {
    const [, name = '', kind = 'quick'] = path.split('/');
    const id = String(headers['webhook-id']);
    const isFirst = !seen.has(id);
    seen.add(id);
    const status = isFirst ? firstStatusOf(kind) : 200;
    const delayMs = DELAY_MS[kind as TargetKind];
    if (delayMs === 0) return status;
    count(name, 1);
    return new Promise<number>((resolve) => setTimeout(resolve, delayMs, status)).finally(() => count(name, -1));
  });
  return {
    urlOf: (name, kind) => `${receiver.url}/${name}/${kind}`,
    received: (name) => receiver.received.filter((received) => received.path.startsWith(`/${name}/`)),
    pending: (name) => pending.get(name) ?? 0,
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

function firstStatusOf(kind: string): number {
  if (kind === 'flaky') return 503;
  return kind === 'deadly' ? 400 : 200;
}
