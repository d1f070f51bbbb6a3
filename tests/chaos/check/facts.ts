import type {
  Delivery,
  Fault,
  FaultKind,
  History,
  Hold,
  Operation,
  Plan,
  RunChange,
  RunRecord,
  ScheduleRecord,
} from '../history.ts';

/** One schedule with all that concerns it. */
export interface Subject {
  readonly plan: Plan;
  readonly schedule: ScheduleRecord;
  /** Records of its own slots, oldest slot first; of manual runs; of backfilled ones. */
  readonly slots: readonly RunRecord[];
  readonly manual: readonly RunRecord[];
  readonly backfilled: readonly RunRecord[];
  /** Requests that were done or may have been. */
  readonly operations: readonly Operation[];
}

/** A history, indexed. */
export interface Facts {
  readonly history: History;
  readonly subjects: readonly Subject[];
  readonly runs: ReadonlyMap<string, RunRecord>;
  readonly deliveries: ReadonlyMap<string, readonly Delivery[]>;
  readonly holds: ReadonlyMap<string, readonly Hold[]>;
  readonly changes: ReadonlyMap<string, readonly RunChange[]>;
  readonly published: ReadonlyMap<string, number>;
}

export const FINAL_STATES: readonly string[] = ['SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD'];
/** States in which no claim holds a run. */
export const LEFT_STATES: readonly string[] = [...FINAL_STATES, 'RETRYING'];

export function factsOf(given: History): Facts {
  const history = { ...given, faults: given.faults.toSorted((left, right) => left.from - right.from) };
  const byTime = <T extends { readonly at: number }>(all: readonly T[]): readonly T[] =>
    all.toSorted((left, right) => left.at - right.at);
  const grouped = <T extends { readonly runId: string; readonly at: number }>(all: readonly T[]) =>
    Map.groupBy(byTime(all), (one) => one.runId);
  const changes = grouped(history.changes);
  const published = new Map<string, number>();
  for (const { runId } of history.published) published.set(runId, (published.get(runId) ?? 0) + 1);
  return {
    history,
    subjects: subjectsOf(history),
    runs: new Map(history.runs.map((run) => [run.id, run])),
    deliveries: grouped(history.deliveries),
    holds: holdsByRun(byTime(history.holds), changes),
    changes,
    published,
  };
}

/**
 * Who cancels a run does not lock its claim, unlike who settles it: a takeover that has read the run before that commits delivers
 * it once more. So long before a takeover a cancellation was written that it surely saw.
 */
const CANCELLATION_SEEN_MS = 1_000;

/** A claim that is taken over names runs that had left it before: settled, or waiting and held by another claim since. */
function holdsByRun(
  holds: readonly Hold[],
  changes: ReadonlyMap<string, readonly RunChange[]>,
): ReadonlyMap<string, readonly Hold[]> {
  const found = new Map<string, Hold[]>();
  for (const hold of holds)
    for (const runId of hold.runIds) {
      const known = found.get(runId) ?? [];
      const before = known.at(-1);
      const hasLeft =
        hold.fence > 1 &&
        (before?.claimId !== hold.claimId ||
          changes.get(runId)?.some((change) => change.at > before.at && hasLeftBy(change, hold.at)));
      if (hasLeft !== true) found.set(runId, [...known, hold]);
    }
  return found;
}

function hasLeftBy({ at, state }: RunChange, takenAt: number): boolean {
  return LEFT_STATES.includes(state) && at < (state === 'CANCELLED' ? takenAt - CANCELLATION_SEEN_MS : takenAt);
}

function subjectsOf({ plans, schedules, runs, operations }: History): readonly Subject[] {
  const bySchedule = Map.groupBy(runs, (run) => run.scheduleId);
  const byPlan = Map.groupBy(
    operations.filter((operation) => operation.outcome !== 'refused'),
    (operation) => operation.plan,
  );
  const planAt = new Map(plans.map((plan) => [plan.index, plan]));
  return schedules.flatMap((schedule): Subject[] => {
    const plan = planAt.get(schedule.plan);
    if (plan === undefined) return [];
    const own = bySchedule.get(schedule.id) ?? [];
    return [
      {
        plan,
        schedule,
        slots: own.filter((run) => run.space === 0).toSorted((left, right) => left.slot - right.slot),
        manual: own.filter((run) => run.space > 1),
        backfilled: own.filter((run) => run.space === 1),
        operations: byPlan.get(schedule.plan) ?? [],
      },
    ];
  });
}

/** When the end of a run was in the database; its own `endedAt` is when its last attempt ended. */
export function writtenEndOf({ changes }: Facts, run: RunRecord): number {
  const written = changes.get(run.id)?.findLast(({ state }) => FINAL_STATES.includes(state))?.at ?? 0;
  return Math.max(run.endedAt ?? Number.POSITIVE_INFINITY, written);
}

/** Names a slot or run so that it can be found in the history. */
export function nameOf(run: Pick<RunRecord, 'scheduleId' | 'slot' | 'space'>, why = ''): string {
  const space = run.space === 0 ? '' : ` space ${run.space}`;
  return `${run.scheduleId} ${new Date(run.slot).toISOString()}${space}${why === '' ? '' : `: ${why}`}`;
}

/** How long after the end of a fault its consequences may last: an abandoned lease, and two seconds. */
export function recoveryMs(history: History): number {
  return history.leaseMs + 2_000;
}

/** Faults that make no node lose what it holds. */
const HARMLESS: readonly FaultKind[] = ['restart', 'broker', 'receivers', 'clock', 'start', 'load'];

/** A broker, a receiver, a wall clock or a busy machine takes nothing from a node, and one that ends in order hands back what it has. */
export function isHarmful({ kind }: Fault): boolean {
  return !HARMLESS.includes(kind);
}

/** True when the fault may have hurt the node in the stretch. */
export function concerns(fault: Fault, node: string | undefined, from: number, to: number): boolean {
  const isOfNode = fault.node === null || fault.node === node;
  return isHarmful(fault) && isOfNode && fault.from <= to && fault.to >= from;
}

/** How much of the stretch no fault (with what it leaves behind) covers; the faults are in the order of their beginnings. */
export function calmWithin(history: History, from: number, to: number): number {
  const tail = recoveryMs(history);
  let calm = 0;
  let at = from;
  for (const fault of history.faults) {
    if (fault.from > at) calm += Math.max(0, Math.min(fault.from, to) - at);
    at = Math.max(at, fault.to + tail);
    if (at >= to) return calm;
  }
  return calm + Math.max(0, to - at);
}
