import type { History, RunRecord } from '../history.ts';
import { calmWithin, type Facts, nameOf, recoveryMs, type Subject } from './facts.ts';
import { gridOf } from './grid.ts';

/* Each slot of a schedule has exactly one record, its own or a range that covers it, and no record names anything else. */

export interface Creation {
  readonly lost: readonly string[];
  readonly createdTwice: readonly string[];
  readonly invented: readonly string[];
  readonly brokenChain: readonly string[];
  /** Slots that were looked for, by type of trigger. */
  readonly expected: ReadonlyMap<string, number>;
}

export function checkCreation(facts: Facts): Creation {
  const found = { lost: [] as string[], createdTwice: [] as string[], invented: [] as string[] };
  const brokenChain: string[] = [];
  const expected = new Map<string, number>();
  for (const subject of facts.subjects) {
    const { trigger, endAt } = subject.plan;
    const upTo = Math.min(endAt, facts.history.endedAt, subject.schedule.deletedAt ?? endAt);
    const grid = slotsOf(facts.history, subject, upTo);
    const count = grid === null ? checkChain(facts.history, subject, brokenChain) : grid.length;
    expected.set(trigger.type, (expected.get(trigger.type) ?? 0) + count);
    if (grid !== null) checkGrid(facts.history, subject, grid, found);
  }
  const known = new Set(facts.subjects.map(({ schedule }) => schedule.id));
  for (const run of facts.history.runs) {
    if (!known.has(run.scheduleId)) found.invented.push(nameOf(run, 'of a schedule that nobody created'));
  }
  for (const [runId] of facts.deliveries) if (!facts.runs.has(runId)) found.invented.push(`delivery of ${runId}`);
  for (const [runId] of facts.published) if (!facts.runs.has(runId)) found.invented.push(`message of ${runId}`);
  return { ...found, brokenChain, expected };
}

/** The slots of each trigger that it had, while it had it: the requests say which, the versions in the database since when. Null for a chain. */
function slotsOf(history: History, { plan, schedule, operations }: Subject, upTo: number): readonly number[] | null {
  const { isRetriggered, trigger, tz } = plan;
  // The one slot of a ONE_SHOT may have passed when it was made.
  const after = trigger.type === 'ONE_SHOT' ? 0 : schedule.createdAt;
  if (!isRetriggered) return gridOf(trigger, tz, after, upTo);
  const slots: number[] = [];
  let current = trigger;
  let from = schedule.createdAt;
  for (const { mark, until } of history.versions[schedule.id] ?? []) {
    current = operations.find((operation) => operation.mark === mark)?.trigger ?? current;
    const to = Math.min(until ?? upTo, upTo);
    slots.push(...(gridOf(current, tz, from, to) ?? []));
    from = to;
  }
  return slots;
}

interface Found {
  readonly lost: string[];
  readonly createdTwice: string[];
  readonly invented: string[];
}

function checkGrid(history: History, subject: Subject, grid: readonly number[], found: Found): void {
  const { schedule, slots } = subject;
  const covered = new Map(grid.map((slot) => [slot, 0]));
  for (const run of slots) {
    const from = run.range?.from ?? run.slot;
    const to = run.range?.to ?? run.slot;
    if (from !== run.slot || to < from) found.invented.push(nameOf(run, 'a range that begins elsewhere'));
    // A range may end behind a deletion's last slot; what it names must be slots all the same.
    if (!covered.has(from) || !covered.has(to)) found.invented.push(nameOf(run, `no slot of the grid up to ${to}`));
    const within = grid.filter((slot) => slot >= from && slot <= to);
    if (run.range !== null && run.range.count !== within.length)
      found.invented.push(nameOf(run, `a count of ${run.range.count} where there are ${within.length} slots`));
    for (const slot of within) covered.set(slot, (covered.get(slot) ?? 0) + 1);
  }
  const name = (slot: number): string => nameOf({ scheduleId: schedule.id, slot, space: 0 });
  for (const [slot, times] of covered) if (times > 1) found.createdTwice.push(name(slot));
  const missing = grid.filter((slot) => covered.get(slot) === 0);
  const excused = new Set(excusedByDeletion(history, subject, grid, missing));
  found.lost.push(...missing.filter((slot) => !excused.has(slot)).map(name));
}

/** The last slots before a deletion: those of a schedule that was not active, and those that no node could claim in time. */
function excusedByDeletion(
  history: History,
  { schedule, slots }: Subject,
  grid: readonly number[],
  missing: readonly number[],
): readonly number[] {
  const { deletedAt } = schedule;
  if (deletedAt === null) return [];
  const lastCovered = slots.reduce((last, run) => Math.max(last, run.range?.to ?? run.slot), 0);
  const tail = missing.filter((slot) => slot > lastCovered);
  if (grid.filter((slot) => slot > lastCovered).length !== tail.length) return [];
  if (schedule.state !== 'ACTIVE') return tail;
  return tail.filter((slot) => calmWithin(history, slot, deletedAt) <= recoveryMs(history));
}

/** A link begins exactly its delay after the run before it ended, unless a person stepped in; the chain reaches its end. */
function checkChain(history: History, { plan, schedule, slots, operations }: Subject, broken: string[]): number {
  if (plan.trigger.type !== 'FIXED_DELAY') return 0;
  const delayMs = plan.trigger.delaySec * 1000;
  const links = slots.filter((run) => run.state !== 'SKIPPED');
  for (const [index, run] of links.entries()) {
    const before = links[index - 1];
    const startedAt = before?.endedAt ?? schedule.createdAt;
    const isTouched = operations.some(
      ({ kind, at, until }) =>
        kind !== 'create' && kind !== 'trigger' && at <= run.slot && until >= startedAt - delayMs,
    );
    const wait = run.slot - startedAt;
    if (wait < delayMs && !isRedriven(before, operations))
      broken.push(nameOf(run, `only ${wait} ms after the run before`));
    if (
      wait > delayMs + 2 &&
      !isTouched &&
      !hasPaused(links, operations) &&
      !isSkippedBetween(slots, startedAt, run.slot)
    )
      broken.push(nameOf(run, `${wait} ms after the run before`));
  }
  const last = slots.at(-1);
  const lastEnd = last?.endedAt ?? schedule.createdAt;
  const upTo = Math.min(plan.endAt, history.endedAt);
  const isResumedTooLate = operations.some(({ kind, until }) => kind === 'resume' && until + delayMs > upTo);
  const isOver = schedule.deletedAt !== null || lastEnd + delayMs > upTo || isResumedTooLate;
  if (!isOver) broken.push(last === undefined ? `${schedule.id}: no link` : nameOf(last, 'the last link, too early'));
  return links.length;
}

/** A link that a person skipped stands between two that fired. */
function isSkippedBetween(slots: readonly RunRecord[], from: number, to: number): boolean {
  return slots.some(({ state, slot }) => state === 'SKIPPED' && slot > from && slot < to);
}

function isRedriven(run: RunRecord | undefined, operations: Subject['operations']): boolean {
  return operations.some(({ kind, runId }) => kind === 'retry' && runId === run?.id);
}

/** Chains that a person or a 410 stopped are taken up when they are resumed, not after a delay. */
function hasPaused(links: readonly RunRecord[], operations: Subject['operations']): boolean {
  return links.some((run) => run.reason === 'GONE') || operations.some(({ kind }) => kind === 'pause');
}
