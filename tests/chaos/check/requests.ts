import type { Operation } from '../history.ts';
import { type Facts, nameOf, type Subject } from './facts.ts';
import { gridOf } from './grid.ts';

/* What the API said it did was done; what it refused was not; what nobody heard of may be either. */

export interface Requests {
  readonly lostRequest: readonly string[];
  readonly inventedRun: readonly string[];
}

export function checkRequests(facts: Facts): Requests {
  const lostRequest: string[] = [];
  const inventedRun: string[] = [];
  const { operations, schedules } = facts.history;
  const created = operations.filter(({ kind, outcome }) => kind === 'create' && outcome === 'ok');
  const perPlan = Map.groupBy(schedules, ({ plan }) => plan);
  for (const { plan } of created) if (!perPlan.has(plan)) lostRequest.push(`plan ${plan} was created and is gone`);
  for (const [plan, all] of perPlan) if (all.length > 1) inventedRun.push(`plan ${plan} has ${all.length} schedules`);
  for (const subject of facts.subjects) {
    checkManual(subject, lostRequest, inventedRun);
    checkBackfills(facts, subject, lostRequest, inventedRun);
    checkMarks(facts, subject, lostRequest);
  }
  return { lostRequest, inventedRun };
}

function checkManual({ operations, manual, schedule }: Subject, lost: string[], invented: string[]): void {
  const asked = operations.filter(({ kind }) => kind === 'trigger');
  const known = new Set(manual.map(({ id }) => id));
  for (const { outcome, runId } of asked)
    if (outcome === 'ok' && !known.has(runId ?? '')) lost.push(`${schedule.id}: the run ${runId} that a trigger made`);
  const acknowledged = new Set(asked.map(({ runId }) => runId));
  const unheard = asked.filter(({ outcome }) => outcome === 'unknown').length;
  const surplus = manual.filter(({ id }) => !acknowledged.has(id));
  if (surplus.length > unheard) invented.push(...surplus.map((run) => nameOf(run, 'a manual run nobody asked for')));
}

function checkBackfills({ history }: Facts, subject: Subject, lost: string[], invented: string[]): void {
  const { operations, backfilled, slots, schedule, plan } = subject;
  const asked = operations.filter(({ kind }) => kind === 'backfill');
  const inside = (slot: number) => asked.some(({ from = 0, to = 0 }) => slot >= from && slot <= to);
  invented.push(
    ...backfilled.filter(({ slot }) => !inside(slot)).map((run) => nameOf(run, 'backfilled, though nobody asked')),
  );
  const own = new Map(slots.map((run) => [run.slot, run]));
  const beside = backfilled.filter(({ slot }) => (own.get(slot)?.state ?? 'SKIPPED') !== 'SKIPPED');
  invented.push(...beside.map((run) => nameOf(run, 'backfilled beside a run of its own')));
  if (schedule.deletedAt !== null) return;
  const again = new Set(backfilled.map(({ slot }) => slot));
  const fired = new Set(slots.filter(({ state }) => state !== 'SKIPPED').map(({ slot }) => slot));
  for (const { from = 0, to = 0 } of asked.filter(({ outcome }) => outcome === 'ok')) {
    const grid = gridOf(plan.trigger, plan.tz, from - 1, Math.min(to, plan.endAt, history.endedAt)) ?? [];
    const missing = grid.filter((slot) => !again.has(slot) && !fired.has(slot));
    lost.push(...missing.map((slot) => nameOf({ scheduleId: schedule.id, slot, space: 1 }, 'not backfilled')));
  }
}

/** Each definition that the API acknowledged is the one that its version holds. */
function checkMarks({ history }: Facts, { operations, schedule, plan }: Subject, lost: string[]): void {
  const defining = operations.filter(
    ({ kind, outcome }) => outcome === 'ok' && (kind === 'patch' || kind === 'create'),
  );
  for (const { version, mark, kind } of defining) {
    // Where a calendar changed, definitions are numbered ahead of what the API calls a version.
    const all = history.versions[schedule.id] ?? [];
    const held =
      plan.calendar === null
        ? history.marks[`${schedule.id} ${version}`]
        : all.find((definition) => definition.mark === mark)?.mark;
    if (held !== mark) lost.push(`${schedule.id}: ${kind} of mark ${mark} made version ${version}, which has ${held}`);
  }
}

/** How often each kind of request was answered, refused and left unanswered. */
export function countRequests(operations: readonly Operation[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, outcome } of operations) {
    const name = `${kind} ${outcome}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
