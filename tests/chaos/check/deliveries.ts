import type { Delivery, Fault, Plan, RunRecord } from '../history.ts';
import { calmWithin, concerns, type Facts, nameOf, recoveryMs } from './facts.ts';

/* What arrived: never early, not later than a fault explains, one id and one body, twice only after a fault of that very run. */

export interface Deliveries {
  readonly early: readonly string[];
  readonly late: readonly string[];
  readonly changed: readonly string[];
  readonly unexplainedDuplicate: readonly string[];
  readonly staleOutcome: readonly string[];
  /** Second deliveries by the kind of fault that explains them. */
  readonly explained: ReadonlyMap<string, number>;
  /** Milliseconds from due to first delivery, of the runs whose lateness was judged. */
  readonly lateness: readonly number[];
  /** Of those that met no fault at all. */
  readonly calm: readonly number[];
}

/** The driver, the receivers and the database read one clock; two of its readings differ by no more. */
const CLOCK_ERROR_MS = 5;
/** A node's idea of the database's time, while the machine is busy. */
const NODE_CLOCK_ERROR_MS = 1_000;

export function checkDeliveries(facts: Facts): Deliveries {
  const found = { early: [] as string[], changed: [] as string[], unexplainedDuplicate: [] as string[] };
  const explained = new Map<string, number>();
  for (const [runId, all] of facts.deliveries) {
    const run = facts.runs.get(runId);
    if (run === undefined) continue;
    // Jitter puts a slot off.
    const due = Math.max(run.slot, run.due);
    if (all.some(({ at }) => at < due - CLOCK_ERROR_MS)) found.early.push(nameOf(run));
    const change = whatChanged(facts, run, all);
    if (change !== null) found.changed.push(nameOf(run, change));
    checkDuplicates(facts, run, all, { unexplained: found.unexplainedDuplicate, explained });
  }
  for (const [runId, count] of facts.published) {
    const run = facts.runs.get(runId);
    if (run !== undefined && count > 1 && takeovers(facts, run).length === 0)
      found.unexplainedDuplicate.push(nameOf(run, `${count} messages`));
  }
  return { ...found, explained, ...checkLateness(facts), staleOutcome: staleOutcomes(facts) };
}

function whatChanged({ history }: Facts, run: RunRecord, all: readonly Delivery[]): string | null {
  if (new Set(all.map(({ body }) => body)).size > 1) return 'the body changed between attempts';
  if (new Set(all.map(({ pathMark }) => pathMark)).size > 1) return 'the target changed between attempts';
  const [first] = all;
  if (first === undefined) return null;
  if (first.scheduleId !== run.scheduleId || first.slot !== run.slot) return 'its id belongs to another slot';
  const marks = history.marks[`${run.scheduleId} ${run.version}`];
  if (marks !== undefined && marks !== first.pathMark) return `target of mark ${first.pathMark}, version has ${marks}`;
  const body: unknown = JSON.parse(first.body === '' ? 'null' : first.body);
  const mark = typeof body === 'object' && body !== null && 'mark' in body ? body.mark : null;
  const isManual = run.space > 1;
  return mark === first.pathMark || isManual ? null : `payload of mark ${String(mark)}, target of ${first.pathMark}`;
}

interface Duplicates {
  readonly unexplained: string[];
  readonly explained: Map<string, number>;
}

/** What comes right after a 2xx that went out whole is a duplicate; each needs a holder that lost the run to a fault of its own. */
function checkDuplicates(facts: Facts, run: RunRecord, all: readonly Delivery[], found: Duplicates): void {
  const isSuccess = ({ status, whole }: Delivery): boolean => whole && status >= 200 && status < 300;
  const duplicates = all.slice(1).filter((_, index) => all.slice(index, index + 1).every(isSuccess)).length;
  if (duplicates === 0) return;
  const causes = [...takeovers(facts, run).map(({ kind }) => kind), ...announced(run, all)];
  for (const kind of causes.slice(0, duplicates)) found.explained.set(kind, (found.explained.get(kind) ?? 0) + 1);
  if (causes.length < duplicates)
    found.unexplained.push(nameOf(run, `${duplicates} after a 2xx, ${causes.length} explained`));
}

/** Attempts that were answered 2xx too late for their holder, which wrote them down as possible duplicates: its lease or its time was over. */
function announced({ attempts }: RunRecord, all: readonly Delivery[]): readonly string[] {
  return attempts
    .filter(({ number, startedAt, possibleDuplicate }) => {
      const answered = all.some(
        (one) => one.attempt === number && one.whole && one.at > startedAt - NODE_CLOCK_ERROR_MS,
      );
      return possibleDuplicate === true && answered;
    })
    .map(() => 'an answer too late, and told so');
}

/** The faults that made a holder lose this run: each hit that very holder between its hold and the next. */
function takeovers({ history, holds }: Facts, run: RunRecord): readonly Fault[] {
  const all = holds.get(run.id) ?? [];
  return all.flatMap((hold, index) => {
    const before = all[index - 1];
    if (before === undefined) return [];
    const node = history.owners[before.owner];
    const possible = history.faults.filter((fault) => concerns(fault, node, before.at, hold.at));
    // What hit this node alone explains more than what hit them all.
    const cause = possible.find((fault) => fault.node !== null) ?? possible[0];
    return cause === undefined ? [] : [cause];
  });
}

/** Its slots wait neither for one another nor behind the breaker of a receiver that fails. */
function isPunctual({ overlap, temper, isFickle }: Plan): boolean {
  return overlap === 'ALLOW_ALL' && temper !== 'flaky' && temper !== 'hostile' && !isFickle;
}

function checkLateness(facts: Facts): Pick<Deliveries, 'late' | 'lateness' | 'calm'> {
  const { history } = facts;
  const bound = recoveryMs(history);
  const late: string[] = [];
  const lateness: number[] = [];
  const calm: number[] = [];
  const atOnce = new Map(
    facts.subjects.filter(({ plan }) => isPunctual(plan)).map(({ schedule }) => [schedule.id, schedule.createdAt]),
  );
  for (const [runId, [first]] of facts.deliveries) {
    const run = facts.runs.get(runId);
    if (run === undefined || first === undefined) continue;
    const createdAt = atOnce.get(run.scheduleId);
    if (createdAt === undefined || (run.cause !== 'MANUAL' && run.cause !== 'SCHEDULE')) continue;
    // A ONE_SHOT may be made for a time that has passed.
    const due = Math.max(run.due, createdAt);
    const lateMs = first.at - due;
    const calmMs = lateMs <= 0 ? 0 : calmWithin(history, due, first.at);
    lateness.push(lateMs);
    if (calmMs >= lateMs && calmWithin(history, due - 1, due) > 0) calm.push(lateMs);
    if (calmMs > bound) late.push(nameOf(run, `${lateMs} ms, ${calmMs} of them without a fault`));
  }
  return { late, lateness, calm };
}

/** An attempt that began under one holder must not be written down after another has taken the run over; a final row stays. */
function staleOutcomes({ changes, holds, runs, history }: Facts): readonly string[] {
  const stale: string[] = [];
  const redriven = new Set(history.operations.filter(({ kind }) => kind === 'retry').map(({ runId }) => runId));
  for (const [runId, all] of changes) {
    const run = runs.get(runId);
    if (run === undefined) continue;
    const taken = holds.get(runId) ?? [];
    for (const [index, change] of all.entries()) {
      const before = all[index - 1];
      const isOver = before !== undefined && ['SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD'].includes(before.state);
      if (isOver && !redriven.has(runId)) stale.push(nameOf(run, `${before.state} became ${change.state}`));
      const startedAt = change.lastAttemptStartedAt;
      const isNew = startedAt !== null && change.attempts > (before?.attempts ?? 0);
      if (!isNew) continue;
      const heir = taken.find(
        (hold, at) => at > 0 && hold.at <= change.at && hold.at > startedAt + NODE_CLOCK_ERROR_MS,
      );
      if (heir !== undefined) stale.push(nameOf(run, `an attempt of before ${heir.claimId} fence ${heir.fence}`));
    }
  }
  return stale;
}
