import type { Violations } from '../../chaos/check/judge.ts';
import type { Delivery, History, RunRecord } from '../../chaos/history.ts';
import { at, runIdOf } from './chaos-history.ts';

/* What can be done to a good history, and under which name the checker must see it. */

type Mutation = (good: History) => Partial<History>;

const THIRD = runIdOf(1, at(3));
const FOURTH = runIdOf(1, at(4));

/** The history with this run changed, or gone. */
function withRun(id: string, change: Partial<RunRecord> | null): Mutation {
  return ({ runs }) => ({
    runs: runs.flatMap((run) => (run.id !== id ? [run] : change === null ? [] : [{ ...run, ...change }])),
  });
}

/** The history with the last delivery of this run changed, or gone. */
function withDelivery(id: string, change: Partial<Delivery> | null): Mutation {
  return ({ deliveries }) => {
    const last = deliveries.findLastIndex(({ runId }) => runId === id);
    return {
      deliveries: deliveries.flatMap((one, index) =>
        index !== last ? [one] : change === null ? [] : [{ ...one, ...change }],
      ),
    };
  };
}

function also(id: string, change: Partial<RunRecord>): Mutation {
  return ({ runs }) => ({
    runs: [...runs, ...runs.filter((run) => run.id === id).map((run) => ({ ...run, ...change }))],
  });
}

function deliveredAgain(id: string, laterMs: number): Mutation {
  return ({ deliveries }) => {
    const last = deliveries.findLast(({ runId }) => runId === id);
    return last === undefined ? {} : { deliveries: [...deliveries, { ...last, at: last.at + laterMs }] };
  };
}

const SKIPPED_BY_OVERLAP = runIdOf(2, at(4));
const MISSED = runIdOf(2, at(6));
const SECOND_LINK = runIdOf(3, at(3) + 200);
export const BY_HAND = runIdOf(4, at(2) + 77, 4711);
export const AGAIN = runIdOf(4, at(0), 1);

export const MUTATIONS: readonly (readonly [string, keyof Violations, Mutation])[] = [
  ['a record is gone', 'lost', withRun(runIdOf(1, at(2)), null)],
  ['the record of a slot that had passed is gone', 'lost', withRun(runIdOf(5, at(-9)), null)],
  ['the record of a stretch is gone', 'lost', withRun(MISSED, null)],
  ['a stretch ends a slot too early', 'lost', withRun(MISSED, { range: { from: at(6), to: at(8), count: 2 } })],
  ['a slot has two records', 'createdTwice', also(runIdOf(1, at(2)), {})],
  [
    'a stretch covers a slot that was fired',
    'createdTwice',
    also(SKIPPED_BY_OVERLAP, { range: { from: at(4), to: at(6), count: 2 } }),
  ],
  ['a slot lies beside the grid', 'invented', withRun(runIdOf(1, at(2)), { slot: at(2) + 500 })],
  ['a stretch counts wrong', 'invented', withRun(MISSED, { range: { from: at(6), to: at(10), count: 4 } })],
  ['a delivery names no run', 'invented', withDelivery(THIRD, { runId: runIdOf(1, at(30)) })],
  [
    'a message names no run',
    'invented',
    ({ published }) => ({ published: [...published, { runId: runIdOf(4, at(30)), at: at(30) }] }),
  ],
  [
    'a schedule was created twice',
    'invented',
    ({ schedules }) => ({ schedules: [...schedules, ...schedules.slice(0, 1)] }),
  ],
  ['a manual run that nobody asked for', 'invented', also(BY_HAND, { id: runIdOf(4, at(2) + 77, 4712), space: 4712 })],
  ['a slot was backfilled beside its own run', 'invented', also(AGAIN, { id: runIdOf(4, at(3), 1), slot: at(3) })],
  ['a link comes before its delay', 'brokenChain', withRun(SECOND_LINK, { slot: at(3) + 100 })],
  ['a link comes long after its delay', 'brokenChain', withRun(SECOND_LINK, { slot: at(3) + 900 })],
  ['a chain ends early', 'brokenChain', withRun(runIdOf(3, at(5) + 250), null)],
  ['a date that was passed over, of no calendar', 'silentSkip', withRun(SKIPPED_BY_OVERLAP, { reason: 'CALENDAR' })],
  ['a delivery before its slot', 'early', withDelivery(runIdOf(1, at(2)), { at: at(2) - 6 })],
  ['a delivery before what jitter makes of its slot', 'early', withRun(runIdOf(1, at(2)), { due: at(2) + 500 })],
  ['a delivery long after its slot, and no fault', 'late', withDelivery(runIdOf(1, at(2)), { at: at(20) })],
  ['a delivery long after its schedule was made', 'late', withDelivery(runIdOf(5, at(-9)), { at: at(20) })],
  ['a body that changed between attempts', 'changed', withDelivery(THIRD, { body: '{"plan":1,"mark":9}' })],
  ['a target that changed between attempts', 'changed', withDelivery(THIRD, { pathMark: 9 })],
  [
    'a definition of another version',
    'changed',
    withDelivery(runIdOf(1, at(2)), { pathMark: 9, body: '{"plan":1,"mark":9}' }),
  ],
  ['an id that belongs to another slot', 'changed', withDelivery(runIdOf(1, at(2)), { slot: at(3) })],
  ['a second delivery after a success', 'unexplainedDuplicate', deliveredAgain(runIdOf(1, at(2)), 1_000)],
  ['one more delivery than was taken over', 'unexplainedDuplicate', deliveredAgain(FOURTH, 1_000)],
  ['a takeover that no fault explains', 'unexplainedDuplicate', () => ({ faults: [] })],
  [
    'a takeover while another node was hit',
    'unexplainedDuplicate',
    ({ faults }) => ({ faults: faults.map((fault) => ({ ...fault, node: 'n3.1' })) }),
  ],
  [
    'a fault that hit long after the takeover',
    'unexplainedDuplicate',
    ({ faults }) => ({ faults: faults.map((fault) => ({ ...fault, from: at(30), to: at(31) })) }),
  ],
  [
    'a takeover of a claim that the run had left',
    'unexplainedDuplicate',
    ({ changes }) => ({
      changes: [
        ...changes,
        ...changes
          .filter(({ runId }) => runId === FOURTH)
          .map((one) => ({ ...one, at: at(4) + 50, state: 'RETRYING', attempts: 0, lastAttemptStartedAt: null })),
      ],
    }),
  ],
  [
    'a message published twice',
    'unexplainedDuplicate',
    ({ published }) => ({ published: [...published, ...published] }),
  ],
  [
    'a final row that was overwritten',
    'staleOutcome',
    ({ changes }) => ({
      changes: [
        ...changes,
        ...changes
          .filter(({ runId }) => runId === runIdOf(1, at(2)))
          .map((one) => ({ ...one, at: one.at + 5, state: 'DEAD' })),
      ],
    }),
  ],
  [
    'an outcome of a holder that had lost the run',
    'staleOutcome',
    ({ changes }) => ({
      changes: changes.map((one) => (one.runId === FOURTH ? { ...one, lastAttemptStartedAt: at(4) + 10 } : one)),
    }),
  ],
  ['a run left open', 'stuck', withRun(runIdOf(1, at(2)), { state: 'RETRYING', endedAt: null })],
  [
    'a schedule that never came to its end',
    'stuck',
    ({ schedules }) => ({ schedules: schedules.map((one) => ({ ...one, state: 'ACTIVE' })) }),
  ],
  ['a node that did not end in order', 'crashed', () => ({ exitCodes: [0, 1, 0] })],
  ['a node that ended by itself', 'crashed', () => ({ crashes: ['n1.1'] })],
  [
    'a restart that did not end in order',
    'crashed',
    () => ({ stops: [{ node: 'n3.1', code: 1, from: at(8), to: at(9) }] }),
  ],
  ['a skip without a reason', 'silentSkip', withRun(SKIPPED_BY_OVERLAP, { reason: null })],
  ['an overlap with a run that had ended', 'silentSkip', withRun(runIdOf(2, at(2)), { endedAt: at(2) + 30 })],
  ['a misfire that was not late enough', 'silentSkip', withRun(MISSED, { endedAt: at(7) })],
  ['a skip by a person that nobody asked for', 'silentSkip', withRun(SKIPPED_BY_OVERLAP, { reason: 'BY_USER' })],
  ['a pause that nobody made', 'silentSkip', withRun(MISSED, { reason: 'PAUSED' })],
  ['exhausted before its last attempt', 'silentSkip', withRun(runIdOf(4, at(6)), { attempts: [] })],
  ['poison without three deaths', 'silentSkip', withRun(runIdOf(4, at(6)), { reason: 'POISON' })],
  [
    'a refusal that the receiver never gave',
    'silentSkip',
    withRun(runIdOf(1, at(2)), { state: 'DEAD', reason: 'REFUSED' }),
  ],
  ['a success that was never delivered', 'successWithoutAnswer', withDelivery(runIdOf(1, at(2)), null)],
  ['a success that was answered 500', 'successWithoutAnswer', withDelivery(THIRD, { status: 500 })],
  ['a success without its message', 'successWithoutAnswer', ({ published }) => ({ published: published.slice(1) })],
  ['a link before the run before it ended', 'overlapping', withDelivery(SECOND_LINK, { at: at(1) - 2_000 })],
  [
    'a schedule that was acknowledged and is gone',
    'lostRequest',
    ({ schedules }) => ({ schedules: schedules.slice(1) }),
  ],
  ['a manual run that was acknowledged and is gone', 'lostRequest', withRun(BY_HAND, null)],
  ['a backfilled slot that is gone', 'lostRequest', withRun(AGAIN, null)],
  [
    'a definition that was acknowledged and is another',
    'lostRequest',
    ({ marks }) => ({ marks: Object.fromEntries(Object.keys(marks).map((key) => [key, 9])) }),
  ],
];
