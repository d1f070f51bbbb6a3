import type { OperationKind, Plan } from './history.ts';

/* The steps of a campaign: which fault or request comes next. Pure. */

export type FaultStep =
  | { readonly kind: 'kill' | 'stop'; readonly node: number; readonly ms: number }
  | {
      readonly kind: 'network';
      readonly node: number;
      readonly how: 'blackhole' | 'deaf' | 'mute' | 'reset' | 'delay' | 'cut';
      readonly ms: number;
    }
  | { readonly kind: 'clock'; readonly hours: number; readonly ms: number }
  | { readonly kind: 'backends'; readonly share: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'database' | 'broker' | 'receivers' | 'kill-all'; readonly ms: number };

export interface RequestStep {
  readonly kind: OperationKind | 'retrigger' | 'burst';
  readonly node: number;
  readonly plan: number;
  /** Chooses what the kind leaves open: what becomes of missed slots, how far a backfill reaches. */
  readonly dice: number;
}

export type Random = () => number;

export const NODES = 3;
/** So many schedules are created at the same time by the key of each: they share a transaction. */
export const BURST = 8;

/** How often each comes in a deck that is shuffled and dealt to its end: nothing is left out for long. */
const FAULTS: Readonly<Record<FaultStep['kind'], number>> = {
  kill: 5,
  'kill-all': 1,
  restart: 1,
  stop: 3,
  network: 5,
  backends: 1,
  database: 1,
  broker: 1,
  receivers: 1,
  clock: 1,
};
const WAYS = { blackhole: 1, deaf: 1, mute: 1, reset: 1, delay: 1, cut: 1 } as const;
const REQUESTS: Readonly<Record<RequestStep['kind'], number>> = {
  trigger: 10,
  patch: 8,
  retrigger: 5,
  pause: 4,
  resume: 5,
  'skip-next': 4,
  backfill: 4,
  cancel: 3,
  retry: 2,
  create: 4,
  burst: 1,
  calendar: 4,
  delete: 1,
};

export interface FaultChoice {
  readonly leaseMs: number;
  readonly hasBroker: boolean;
  readonly hasFakeTime: boolean;
  /** What takes its time: receivers that are down for a while, all nodes dead at once, or ending in order one after the other. */
  readonly isLong: boolean;
}

/** Deals faults of all kinds that this machine can make. */
export function faultDealer(random: Random, { leaseMs, ...has }: FaultChoice): () => FaultStep {
  const possible = {
    ...FAULTS,
    broker: has.hasBroker ? FAULTS.broker : 0,
    clock: has.hasFakeTime ? FAULTS.clock : 0,
    receivers: has.isLong ? FAULTS.receivers : 0,
    restart: has.isLong ? FAULTS.restart : 0,
    'kill-all': has.isLong ? FAULTS['kill-all'] : 0,
  };
  const kinds = deckOf(possible, random);
  const ways = deckOf(WAYS, random);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  return () => {
    const node = Math.floor(random() * NODES);
    const kind = kinds();
    switch (kind) {
      case 'kill':
        return { kind, node, ms: between(0, 3_000) };
      case 'stop':
        return { kind, node, ms: between(leaseMs * 0.3, leaseMs * 2) };
      case 'network':
        return { kind, node, how: ways(), ms: between(500, leaseMs * 2) };
      case 'backends':
        return { kind, share: random() };
      case 'restart':
        return { kind };
      case 'kill-all':
      case 'database':
        return { kind, ms: between(0, 2_000) };
      case 'broker':
        return { kind, ms: between(500, 5_000) };
      case 'receivers':
        return { kind, ms: between(500, 3_000) };
      case 'clock':
        return { kind, hours: (random() < 0.5 ? -1 : 1) * between(1, 48), ms: between(1_000, 6_000) };
    }
  };
}

/** Deals requests; `plans` grows while the campaign is planned. Triggers change where a plan is there for it. */
export function requestDealer(random: Random, plans: readonly Plan[]): () => RequestStep {
  const retrigger = plans.some((plan) => plan.isRetriggered) ? REQUESTS.retrigger : 0;
  const kinds = deckOf({ ...REQUESTS, retrigger }, random);
  const paused = new Set<number>();
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const planFor = (kind: RequestStep['kind']): number => {
    if (kind === 'create' || kind === 'burst') return plans.length;
    const stopped = kind === 'resume' ? pick([...paused]) : undefined;
    return stopped ?? pick(plans.filter((plan) => suits(plan, kind)))?.index ?? 0;
  };
  return () => {
    const kind = kinds();
    const plan = planFor(kind);
    if (kind === 'pause') paused.add(plan);
    if (kind === 'resume') paused.delete(plan);
    return { kind, node: Math.floor(random() * NODES), plan, dice: random() };
  };
}

/** Which schedules a request is made for, so that most find something to do. */
function suits(plan: Plan, kind: RequestStep['kind']): boolean {
  const { trigger, temper, maxAttempts, target, isRetriggered, calendar } = plan;
  if (kind === 'retrigger') return isRetriggered;
  if (kind === 'calendar') return calendar !== null;
  if (kind === 'backfill')
    return trigger.type !== 'FIXED_DELAY' && target === 'HTTP' && !isRetriggered && calendar === null;
  if (kind === 'cancel') return temper === 'slow' || temper === 'hostile' || temper === 'flaky';
  if (kind === 'retry') return temper === 'refusing' || temper === 'gone' || maxAttempts < 10;
  return true;
}

/** Cards in the given numbers, dealt in an order of chance; when none is left, the deck is shuffled anew. */
function deckOf<Card extends string>(numbers: Readonly<Record<Card, number>>, random: Random): () => Card {
  const all = Object.entries<number>(numbers).flatMap(([card, count]) =>
    Array.from({ length: count }, () => card as Card),
  );
  let left: Card[] = [];
  return () => {
    if (left.length === 0) left = [...all];
    const [card] = left.splice(Math.floor(random() * left.length), 1);
    if (card === undefined) throw new Error('an empty deck');
    return card;
  };
}
