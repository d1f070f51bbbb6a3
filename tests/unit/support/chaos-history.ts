import { encodeRunId, type ScheduleId } from '../../../src/domain/ids.ts';
import type { Delivery, History, Hold, Operation, Plan, RunChange, RunRecord } from '../../chaos/history.ts';

/* A small campaign in which every promise held, written by hand: what mutations are made of. */

export const T0 = Date.UTC(2026, 2, 28, 12);
const LEASE_MS = 3_000;
const ENDED = T0 + 60_000;

export const at = (seconds: number): number => T0 + seconds * 1000;

function scheduleId(plan: number): ScheduleId {
  return `01930000-0000-7000-8000-00000000000${plan}` as ScheduleId;
}

export function runIdOf(plan: number, slot: number, space = 0): string {
  return encodeRunId({ scheduleId: scheduleId(plan), slot, space });
}

function planOf(index: number, given: Partial<Plan>): Plan {
  return {
    index,
    tenant: 'acme',
    tz: 'UTC',
    trigger: { type: 'INTERVAL', everySec: 1, anchor: T0 },
    target: 'HTTP',
    temper: 'good',
    isKeyed: false,
    calendar: null,
    isRetriggered: false,
    isFickle: false,
    overlap: 'ALLOW_ALL',
    misfire: { policy: 'FIRE_ALL', thresholdSec: 60 },
    jitterSec: 0,
    maxAttempts: 2,
    timeoutSec: 8,
    endAt: at(6),
    ...given,
  };
}

function run(plan: number, slot: number, given: Partial<RunRecord> = {}): RunRecord {
  const space = given.space ?? 0;
  return {
    id: runIdOf(plan, slot, space),
    scheduleId: scheduleId(plan),
    tenant: 'acme',
    slot,
    space,
    version: 1,
    state: 'SUCCEEDED',
    reason: null,
    cause: 'SCHEDULE',
    range: null,
    attempts: [{ number: 1, outcome: 'ACCEPTED', startedAt: slot + 5 }],
    due: slot,
    endedAt: slot + 20,
    ...given,
  };
}

function delivery(plan: number, slot: number, given: Partial<Delivery> & { readonly space?: number } = {}): Delivery {
  const { space = 0, ...more } = given;
  return {
    runId: runIdOf(plan, slot, space),
    scheduleId: scheduleId(plan),
    slot,
    attempt: 1,
    plan,
    pathMark: plan,
    body: JSON.stringify({ plan, mark: plan }),
    at: slot + 7,
    status: 200,
    whole: true,
    ...more,
  };
}

function hold(runIds: readonly string[], when: number, given: Partial<Hold> = {}): Hold {
  return { claimId: `claim at ${when}`, owner: 'owner-1', fence: 1, at: when, runIds, ...given };
}

function change(runId: string, when: number, given: Partial<RunChange> = {}): RunChange {
  return { runId, at: when, state: 'SUCCEEDED', attempts: 1, lastAttemptStartedAt: when - 15, ...given };
}

/** Plan 1: every second; its third run failed once, its fourth was delivered again after a kill. */
function everySecond() {
  const slots = [1, 2, 3, 4, 5, 6].map(at);
  const [, , third = 0, fourth = 0] = slots;
  const runs = slots
    .map((slot) => run(1, slot))
    .map((one) =>
      one.slot === third
        ? {
            ...one,
            attempts: [
              { number: 1, outcome: 'HTTP_STATUS', startedAt: third + 5 },
              { number: 2, outcome: 'ACCEPTED', startedAt: third + 900 },
            ],
            endedAt: third + 920,
          }
        : one.slot === fourth
          ? {
              ...one,
              endedAt: fourth + 3_500,
              attempts: [{ number: 1, outcome: 'ACCEPTED', startedAt: fourth + 3_400 }],
            }
          : one,
    );
  const deliveries = [
    ...slots.filter((slot) => slot !== third).map((slot) => delivery(1, slot)),
    delivery(1, third, { status: 503 }),
    delivery(1, third, { attempt: 2, at: third + 905 }),
    delivery(1, fourth, { at: fourth + 3_410 }),
  ];
  const takenOver = { claimId: `claim at ${fourth + 2}`, owner: 'owner-2', fence: 2 };
  const holds = [
    ...slots.map((slot) => hold([runIdOf(1, slot)], slot + 2)),
    hold([runIdOf(1, third)], third + 895),
    hold([runIdOf(1, fourth)], fourth + 3_300, takenOver),
  ];
  const changes = [
    ...slots.filter((slot) => slot !== third && slot !== fourth).map((slot) => change(runIdOf(1, slot), slot + 20)),
    change(runIdOf(1, third), third + 20, { state: 'RETRYING' }),
    change(runIdOf(1, third), third + 895, { state: 'RUNNING' }),
    change(runIdOf(1, third), third + 920, { attempts: 2, lastAttemptStartedAt: third + 900 }),
    change(runIdOf(1, fourth), fourth + 3_510, { lastAttemptStartedAt: fourth + 3_400 }),
  ];
  return { runs, deliveries, holds, changes };
}

/** Plan 2 skips what overlaps and what it missed; plan 3 is a chain; plan 4 publishes, runs by hand and again; plan 5 was late when it was made. */
function others() {
  const runs = [
    run(2, at(2), { endedAt: at(4.5), attempts: [{ number: 1, outcome: 'ACCEPTED', startedAt: at(2) }] }),
    run(2, at(4), { state: 'SKIPPED', reason: 'OVERLAP', attempts: [], endedAt: at(4) + 3 }),
    run(2, at(6), {
      state: 'SKIPPED',
      reason: 'MISFIRE',
      attempts: [],
      endedAt: at(12),
      range: { from: at(6), to: at(10), count: 3 },
    }),
    run(3, at(1), { endedAt: at(1) + 200 }),
    run(3, at(3) + 200, { endedAt: at(3) + 250 }),
    run(3, at(5) + 250, { endedAt: at(5) + 300 }),
    run(4, at(3)),
    run(4, at(6), {
      state: 'DEAD',
      reason: 'EXHAUSTED',
      attempts: [1, 2].map((number) => ({ number, outcome: 'TIMEOUT', startedAt: at(6) + number })),
    }),
    run(4, at(2) + 77, { space: 4711, cause: 'MANUAL' }),
    run(4, at(0), { space: 1, cause: 'BACKFILL', due: at(4), endedAt: at(4) + 50 }),
    run(5, at(-9), { endedAt: at(1) }),
  ];
  const published = [at(3), at(0), at(2) + 77].map((slot) => ({
    runId: runIdOf(4, slot, slot === at(3) ? 0 : slot === at(0) ? 1 : 4711),
    at: slot + 10,
  }));
  const links = [at(1), at(3) + 200, at(5) + 250].map((slot) => delivery(3, slot));
  const deliveries = [delivery(2, at(2)), ...links, delivery(5, at(-9), { at: T0 + 110 })];
  return { runs, deliveries, published };
}

const PLANS = [
  planOf(1, {}),
  planOf(2, {
    trigger: { type: 'CRON', cron: '*/2 * * * * *' },
    overlap: 'SKIP',
    misfire: { policy: 'SKIP', thresholdSec: 2 },
    endAt: at(10),
  }),
  planOf(3, { trigger: { type: 'FIXED_DELAY', delaySec: 2 }, endAt: at(7) }),
  planOf(4, {
    trigger: { type: 'RRULE', rrule: 'FREQ=SECONDLY;INTERVAL=3', dtstart: T0 - 3_600_000 },
    target: 'EVENT',
  }),
  planOf(5, { trigger: { type: 'ONE_SHOT', at: at(-9) } }),
];

/** All were created; the fourth was triggered and backfilled. */
function operations(): readonly Operation[] {
  const created = { kind: 'create', outcome: 'ok', at: T0, until: T0 + 120, version: 1 } as const;
  const asked = { outcome: 'ok', plan: 4, at: at(2), until: at(2) + 90 } as const;
  return [
    ...PLANS.map(({ index }): Operation => ({ ...created, plan: index, mark: index })),
    { ...asked, kind: 'trigger', runId: runIdOf(4, at(2) + 77, 4711) },
    { ...asked, kind: 'backfill', from: at(-2), to: at(2) },
  ];
}

export function goodHistory(): History {
  const first = everySecond();
  const rest = others();
  return {
    plans: PLANS,
    schedules: PLANS.map(({ index }) => ({
      id: scheduleId(index),
      plan: index,
      tenant: 'acme',
      state: 'COMPLETED',
      createdAt: index === 3 ? at(-1) : T0 + 100,
      deletedAt: null,
    })),
    operations: operations(),
    marks: Object.fromEntries(PLANS.map(({ index }) => [`${scheduleId(index)} 1`, index])),
    versions: Object.fromEntries(
      PLANS.map(({ index }) => [scheduleId(index), [{ number: 1, mark: index, isShut: false, until: null }]]),
    ),
    runs: [...first.runs, ...rest.runs],
    deliveries: [...first.deliveries, ...rest.deliveries],
    published: rest.published,
    holds: first.holds,
    changes: first.changes,
    owners: { 'owner-1': 'n1.1', 'owner-2': 'n2.1' },
    faults: [{ kind: 'kill', what: 'kill -9 n1.1', node: 'n1.1', from: at(4) + 100, to: at(4) + 1_000 }],
    leaseMs: LEASE_MS,
    endedAt: ENDED,
    exitCodes: [0, 0, 0],
    stops: [{ node: 'n3.1', code: 0, from: at(8), to: at(9) }],
    crashes: [],
    logs: {},
  };
}
