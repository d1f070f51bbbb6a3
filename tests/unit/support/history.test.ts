import { describe, expect, it } from 'vitest';
import { encodeRunId, type ScheduleId } from '../../../src/domain/ids.ts';
import { type History, judge, type RunRecord, type Verdict } from '../../support/history.ts';
import type { Received } from '../../support/receiver.ts';

/* The checker of the scenario tests, itself tested: it finds each kind of damage done to a history that is good. */

const SCHEDULE = '01930000-0000-7000-8000-000000000001' as ScheduleId;
const FIRST = Date.UTC(2026, 2, 29, 1);
const SLOTS = [FIRST, FIRST + 1000, FIRST + 2000, FIRST + 3000];
const [ONE, TWO, THREE, FOUR] = SLOTS.map((slot) => encodeRunId({ scheduleId: SCHEDULE, slot, space: 0 }));

function received(slot: number, given: Partial<Received> = {}): Received {
  const headers = {
    'webhook-id': encodeRunId({ scheduleId: SCHEDULE, slot, space: 0 }),
    'x-scheduler-scheduled-for': new Date(slot).toISOString(),
  };
  return { at: slot + 7, path: '/hook', headers, body: `{"slot":${slot}}`, status: 200, ...given };
}

function succeeded(slot: number): RunRecord {
  const attempts = [{ outcome: 'ACCEPTED', httpStatus: 200 }];
  return { scheduleId: SCHEDULE, slot, space: 0, state: 'SUCCEEDED', reason: null, attempts };
}

/** Four slots: delivered once; failed and tried again; skipped with a reason; delivered twice across a fault. */
function goodHistory(): History {
  const [first, second, third, fourth] = SLOTS as [number, number, number, number];
  return {
    expected: SLOTS.map((slot) => ({ scheduleId: SCHEDULE, slot })),
    runs: [
      succeeded(first),
      succeeded(second),
      { ...succeeded(third), state: 'SKIPPED', reason: 'OVERLAP', attempts: [] },
      succeeded(fourth),
    ],
    received: [
      received(first),
      received(second, { status: 503 }),
      received(second, { at: second + 900 }),
      received(fourth),
      received(fourth, { at: fourth + 5000 }),
    ],
    faults: [{ from: fourth + 10, to: fourth + 4000 }],
    clockErrorMs: 2,
  };
}

const FINE: Verdict = {
  lost: [],
  invented: [],
  createdTwice: [],
  unfinished: [],
  successWithoutAnswer: [],
  silentSkip: [],
  early: [],
  bodyChanged: [],
  unexplainedDuplicate: [],
  undelivered: [],
  brokenChain: [],
};

function name(index: number): string {
  return `${SCHEDULE} ${new Date(SLOTS[index] ?? 0).toISOString()}`;
}

/** The good history with one of its runs, or one of its deliveries, changed or (null) gone. */
function damaged(what: {
  readonly run?: readonly [number, Partial<RunRecord> | null];
  readonly delivery?: readonly [number, Partial<Received> | null];
}): History {
  const good = goodHistory();
  return {
    ...good,
    runs: what.run === undefined ? good.runs : changed(good.runs, ...what.run),
    received: what.delivery === undefined ? good.received : changed(good.received, ...what.delivery),
  };
}

function changed<T>(all: readonly T[], at: number, change: Partial<T> | null): readonly T[] {
  return all.flatMap((item, index) => (index !== at ? [item] : change === null ? [] : [{ ...item, ...change }]));
}

describe('the checker', () => {
  it('finds nothing wrong with a good history', () => {
    expect(judge(goodHistory())).toEqual(FINE);
  });

  it('finds a slot that was lost', () => {
    expect(judge({ ...goodHistory(), runs: goodHistory().runs.slice(0, 3) })).toMatchObject({ lost: [name(3)] });
  });

  it('finds a record and a delivery that nobody asked for', () => {
    const good = goodHistory();
    const extra = { ...succeeded(FIRST + 500) };
    expect(
      judge({ ...good, runs: [...good.runs, extra], received: [...good.received, received(FIRST + 500)] }),
    ).toEqual({
      ...FINE,
      invented: [`${SCHEDULE} ${new Date(FIRST + 500).toISOString()}`],
    });
    const stray = received(FIRST + 700);
    expect(judge({ ...good, received: [...good.received, stray] })).toEqual({
      ...FINE,
      invented: [stray.headers['webhook-id']],
    });
  });

  it('finds a slot with two records', () => {
    const good = goodHistory();
    expect(judge({ ...good, runs: [...good.runs, ...good.runs.slice(0, 1)] })).toEqual({
      ...FINE,
      createdTwice: [name(0)],
    });
  });

  it.each(['PENDING', 'RUNNING', 'RETRYING'])('finds a run left %s', (state) => {
    expect(judge(damaged({ run: [1, { state }] }))).toEqual({ ...FINE, unfinished: [name(1)] });
  });

  it('finds a success that the receiver never gave', () => {
    expect(judge(damaged({ delivery: [2, { status: 500 }] }))).toEqual({ ...FINE, successWithoutAnswer: [name(1)] });
  });

  it.each(['SKIPPED', 'DEAD', 'CANCELLED'])('finds a slot that is %s without a reason', (state) => {
    expect(judge(damaged({ run: [2, { state, reason: null }] }))).toMatchObject({ silentSkip: [name(2)] });
  });

  it('finds a delivery before its slot, beyond the error of the clocks', () => {
    expect(judge(damaged({ delivery: [0, { at: FIRST - 2 }] }))).toEqual(FINE);
    expect(judge(damaged({ delivery: [0, { at: FIRST - 3 }] }))).toEqual({ ...FINE, early: [ONE] });
  });

  it('finds a body that changed from one attempt to the next', () => {
    expect(judge(damaged({ delivery: [2, { body: '{}' }] }))).toEqual({ ...FINE, bodyChanged: [TWO] });
  });

  it('finds a second delivery after a success that no fault explains', () => {
    expect(judge({ ...goodHistory(), faults: [] })).toEqual({ ...FINE, unexplainedDuplicate: [FOUR] });
    const early = { ...goodHistory(), faults: [{ from: FIRST, to: FIRST + 3006 }] };
    expect(judge(early)).toEqual({ ...FINE, unexplainedDuplicate: [FOUR] });
  });

  it('finds a run that ended and was never delivered', () => {
    const good = goodHistory();
    const dead = { ...succeeded(FIRST), state: 'DEAD', reason: 'EXHAUSTED' };
    expect(judge({ ...good, runs: [dead, ...good.runs.slice(1)], received: good.received.slice(1) })).toEqual({
      ...FINE,
      undelivered: [name(0)],
    });
  });

  it('asks for no delivery of a skipped slot', () => {
    const { received: all } = goodHistory();
    expect(all.some((delivery) => delivery.headers['webhook-id'] === THREE)).toBe(false);
    expect(judge(goodHistory()).undelivered).toEqual([]);
  });
});
