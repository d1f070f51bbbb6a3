import { describe, expect, it } from 'vitest';
import { judge } from '../../chaos/check/judge.ts';
import type { FaultKind, History } from '../../chaos/history.ts';
import { isClean } from '../../chaos/report.ts';
import { at, goodHistory, runIdOf, T0 } from './chaos-history.ts';
import { AGAIN, BY_HAND, MUTATIONS } from './chaos-mutations.ts';

/* The checker of the chaos campaigns, itself tested: each kind of damage done to a good history is seen, under its name. */

describe('the checker of campaigns', () => {
  it('finds nothing wrong with a good history, and has something to judge', () => {
    const verdict = judge(goodHistory());
    expect(verdict.violations).toEqual(Object.fromEntries(Object.keys(verdict.violations).map((kind) => [kind, []])));
    expect(isClean(verdict)).toBe(true);
    expect(verdict.counts).toMatchObject({
      'slots: INTERVAL': 6,
      'slots: CRON': 5,
      'slots: RRULE': 2,
      'slots: FIXED_DELAY': 3,
      'slots: ONE_SHOT': 1,
      'records: manual': 1,
      'records: backfilled': 1,
      'records: taken over': 1,
      'duplicates explained by: kill': 1,
    });
  });

  it.each(MUTATIONS)('sees that %s', (_, kind, mutate) => {
    const good = goodHistory();
    expect(judge({ ...good, ...mutate(good) }).violations[kind]).not.toEqual([]);
  });

  it('takes what nobody was told for possible, done or not', () => {
    const good = goodHistory();
    const unheard = good.operations.map((one) =>
      one.kind === 'trigger' || one.kind === 'backfill'
        ? { ...one, outcome: 'unknown' as const, runId: undefined }
        : one,
    );
    const gone = good.runs.filter(({ id }) => id !== BY_HAND && id !== AGAIN);
    const published = good.published.filter(({ runId }) => runId !== BY_HAND && runId !== AGAIN);
    expect(isClean(judge({ ...good, operations: unheard }))).toBe(true);
    expect(isClean(judge({ ...good, operations: unheard, runs: gone, published }))).toBe(true);
  });

  it('measures from a kill to the delivery by an heir, whatever harmless went on beside it', () => {
    const good = goodHistory();
    const beside = (kind: FaultKind): readonly number[] => {
      const fault = { kind, what: 'beside it', node: null, from: at(3), to: at(8) };
      const { count, max } = judge({ ...good, faults: [...good.faults, fault] }).redeliveredMs;
      return [count, max];
    };
    const measured = [1, 3_310];
    expect(judge(good)).toMatchObject({ redeliveredMs: { count: 1, max: 3_310 }, recoveryBoundMs: 5_000 });
    for (const kind of ['load', 'start', 'restart', 'broker', 'receivers', 'clock'] as const)
      expect(beside(kind)).toEqual(measured);
    for (const kind of ['database', 'network', 'backends', 'kill-all'] as const) expect(beside(kind)).toEqual([0, 0]);
  });

  it('expects the slots of each trigger for as long as the schedule had it', () => {
    const good = goodHistory();
    const plans = good.plans.map((plan) => (plan.index === 1 ? { ...plan, isRetriggered: true } : plan));
    const { id } = good.schedules.find(({ plan }) => plan === 1) ?? { id: '' };
    const patched = { kind: 'patch', plan: 1, at: at(2) + 400, until: at(2) + 600, outcome: 'ok', mark: 9 } as const;
    const trigger = { type: 'INTERVAL', everySec: 2, anchor: T0 } as const;
    const versions = {
      ...good.versions,
      [id]: [
        { number: 1, mark: 1, isShut: false, until: at(2) + 500 },
        { number: 2, mark: 9, isShut: false, until: null },
      ],
    };
    const found = (runs: History['runs'], given: Partial<History>): readonly number[] => {
      const { lost, invented } = judge({ ...good, plans, runs, versions, ...given }).violations;
      return [lost.length, invented.filter((one) => one.startsWith(id)).length];
    };
    const changed = { operations: [...good.operations, { ...patched, trigger }] };
    const odd = [runIdOf(1, at(3)), runIdOf(1, at(5))];
    // From the change on every other second only: the slots between are no longer its.
    expect(found(good.runs, changed)).toEqual([0, 2]);
    expect(
      found(
        good.runs.filter((run) => !odd.includes(run.id)),
        changed,
      ),
    ).toEqual([0, 0]);
    expect(
      found(
        good.runs.filter((run) => run.id !== runIdOf(1, at(6))),
        changed,
      ),
    ).toEqual([1, 2]);
    // The same version with the trigger it had: a change of something else moves no slot.
    expect(found(good.runs, { operations: [...good.operations, patched] })).toEqual([0, 0]);
  });

  it('expects slots to follow the dates of their calendar, soon after these have changed', () => {
    const good = goodHistory();
    const plans = good.plans.map((plan) => (plan.index === 1 ? { ...plan, calendar: 'closed' } : plan));
    const { id } = good.schedules.find(({ plan }) => plan === 1) ?? { id: '' };
    const versions = (isShut: boolean): History['versions'] => ({
      ...good.versions,
      [id]: [
        { number: 1, mark: 1, isShut: false, until: at(4) + 500 },
        { number: 2, mark: 1, isShut, until: null },
      ],
    });
    const passedOver = [runIdOf(1, at(5)), runIdOf(1, at(6))];
    const skipped = { state: 'SKIPPED', reason: 'CALENDAR', version: 2, attempts: [] } as const;
    const runs = good.runs.map((run) => (passedOver.includes(run.id) ? { ...run, ...skipped } : run));
    const deliveries = good.deliveries.filter(({ runId }) => !passedOver.includes(runId));
    const change = (isShut: boolean, when: number): History['operations'][number] => ({
      ...{ kind: 'calendar', plan: 1, outcome: 'ok', isShut, at: when, until: when + 100 },
    });
    const found = (of: History['versions'], ...changes: History['operations']): readonly string[] => {
      const operations = [...good.operations, ...changes];
      const { misdated } = judge({ ...good, plans, versions: of, runs, deliveries, operations }).violations;
      return misdated.map((one) => one.slice(id.length + 1, id.length + 20));
    };
    const named = (...seconds: readonly number[]) =>
      seconds.map((second) => new Date(at(second)).toISOString().slice(0, 19));
    expect(found(versions(true), change(false, at(-9)), change(true, at(4)))).toEqual([]);
    // Passed over by a version that does not exclude the date; by dates that the calendar never had; fired long after it was shut.
    expect(found(versions(false), change(false, at(-9)), change(true, at(4)))).toEqual(named(5, 6));
    expect(found(versions(true), change(false, at(-9)))).toEqual(named(5, 6));
    expect(found(versions(true), change(false, at(-40)), change(true, at(-30)))).toEqual(named(1, 2, 3, 4));
  });

  it('explains the delivery of a run that was cancelled while its claim was taken over, and none long after', () => {
    const good = goodHistory();
    const fourth = runIdOf(1, at(4));
    const unexplained = (cancelledAt: number): number => {
      const cancelled = { state: 'CANCELLED', attempts: 0, lastAttemptStartedAt: null };
      const changes = good.changes.map((one) =>
        one.runId === fourth ? { ...one, ...cancelled, at: cancelledAt } : one,
      );
      return judge({ ...good, changes }).violations.unexplainedDuplicate.length;
    };
    // Its claim was taken over at 4 + 3.3 s.
    expect([unexplained(at(7)), unexplained(at(6))]).toEqual([0, 1]);
  });

  it('takes a run for poison after three deaths alone in its claim, and none in company', () => {
    const good = goodHistory();
    const poison = runIdOf(4, at(6));
    const runs = good.runs.map((run) => (run.id === poison ? { ...run, reason: 'POISON', endedAt: at(30) } : run));
    const deaths = [10, 15, 20].map(at);
    const faults = [
      ...good.faults,
      ...deaths.map((from) => ({ kind: 'kill' as const, what: 'kill -9', node: 'n1.1', from, to: from + 100 })),
    ];
    const problems = (runIds: readonly string[]): number => {
      const held = { claimId: 'claim of poison', owner: 'owner-1', runIds };
      const holds = deaths.map((death, index) => ({ ...held, fence: index + 1, at: death - 500 }));
      return judge({ ...good, runs, faults, holds: [...good.holds, ...holds] }).violations.silentSkip.length;
    };
    expect(problems([poison])).toBe(0);
    expect(problems([poison, runIdOf(4, at(3))])).toBe(1);
  });

  it('forgives the last slots of a schedule that was deleted, and no others', () => {
    const good = goodHistory();
    const deleted = good.schedules.map((one) => (one.plan === 1 ? { ...one, deletedAt: at(6) + 10 } : one));
    const without = (slot: number): History => ({
      ...good,
      schedules: deleted,
      runs: good.runs.filter(({ id }) => id !== runIdOf(1, slot)),
      deliveries: good.deliveries.filter(({ runId }) => runId !== runIdOf(1, slot)),
    });
    expect(judge(without(at(6))).violations.lost).toEqual([]);
    expect(judge(without(at(5))).violations.lost).toHaveLength(1);
  });
});
