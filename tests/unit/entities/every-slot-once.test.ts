import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { ScheduleEntity } from '../../../src/domain/entities/schedule.ts';
import type { SkippedSlots } from '../../../src/domain/entities/timer.ts';
import { type CompiledTrigger, compileTrigger, nextSlot } from '../../../src/domain/time/compile.ts';
import type { Trigger } from '../../../src/domain/time/trigger.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { actAt, createdAt, DAY, HOUR, MINUTE } from './builders.ts';

/* Random lives of a schedule without calendars: late claims, open runs, pauses, marks, other jitter. */

const START = Date.UTC(2026, 2, 27, 20, 0, 0);

const step = fc.record({
  minutes: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 60, max: 60 * 60 })),
  act: fc.constantFrom('claim', 'claim', 'claim', 'pause', 'skipNext', 'jitter', 'maxFires'),
  previous: fc.constantFrom('ENDED', 'ENDED', 'OPEN', 'BUFFERED' as const),
  missed: fc.constantFrom('SKIP', 'FIRE_ONCE', 'FIRE_ALL' as const),
  jitter: fc.constantFrom(null, 'PT5M', 'PT3H'),
});

const life = fc.record({
  trigger: fc.constantFrom<Trigger>(
    { type: 'CRON', cron: '*/20 * * * *' },
    { type: 'CRON', cron: '30 2,14 * * *' },
    { type: 'CRON', cron: '0,30 1-3 * * *' },
    { type: 'RRULE', rrule: 'FREQ=DAILY;BYHOUR=2,9;BYMINUTE=0,15;COUNT=40', dtstart: '2026-03-27T00:00:00' },
    { type: 'RRULE', rrule: 'FREQ=HOURLY;INTERVAL=5;UNTIL=20260405T000000Z', dtstart: '2026-03-27T00:00:00' },
    { type: 'INTERVAL', every: 'PT50M', anchor: '2026-03-01T00:00:00Z', repeat: 1_000 },
    { type: 'INTERVAL', every: 'P1D', anchor: '2026-03-01T02:30:00' },
  ),
  tz: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
  policy: fc.constantFrom('SKIP', 'FIRE_ONCE', 'FIRE_ALL' as const),
  thresholdSec: fc.constantFrom(60, 7200),
  windowSec: fc.constantFrom(7200, 86_400),
  overlapPolicy: fc.constantFrom('SKIP', 'BUFFER_ONE', 'BUFFER_ALL', 'CANCEL_OTHER', 'ALLOW_ALL' as const),
  jitter: fc.constantFrom(null, 'PT5M', 'PT3H'),
  maxFires: fc.constantFrom(null, null, 5, 30),
  startAt: fc.constantFrom(null, new Date(START + 5 * HOUR + 7)),
  endAt: fc.constantFrom(null, new Date(START + 4 * DAY)),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
});

interface Recorded {
  readonly from: number;
  readonly to: number;
  readonly count: number | null;
}

/** The law's own book: what was recorded, whether anything fired early, and how far the schedule got. */
class Lived {
  readonly records: Recorded[] = [];
  readonly early: number[] = [];
  schedule: ScheduleEntity;
  hasEnded = false;

  constructor(schedule: ScheduleEntity) {
    this.schedule = schedule;
  }

  fired(slot: number): void {
    this.records.push({ from: slot, to: slot, count: 1 });
  }

  skipped(stretch: SkippedSlots | null | undefined): void {
    if (stretch) this.records.push(stretch);
  }

  claim(now: number, previous: 'ENDED' | 'OPEN' | 'BUFFERED'): void {
    const { timer, currentVersion, state } = this.schedule;
    const { fired, skipped, next } = currentVersion.fire(timer, now, previous);
    if (fired !== null) this.fired(fired.slot);
    if (fired !== null && (fired.slot > now || currentVersion.dueOf(fired.slot) > now)) this.early.push(fired.slot);
    this.skipped(skipped);
    if (next === 'COMPLETED' || 'disabled' in next) this.hasEnded = true;
    else this.schedule = new ScheduleEntity(state, next);
  }

  became(schedule: ScheduleEntity): void {
    for (const slot of schedule.passed?.fired ?? []) this.fired(slot);
    this.skipped(schedule.passed?.skipped);
    this.schedule = new ScheduleEntity(schedule.state, schedule.timer);
    if (schedule.state.state === 'COMPLETED') this.hasEnded = true;
  }
}

describe('whatever happens to a schedule', () => {
  it('every slot ends in exactly one record, none fires early, and jitter stays before the next slot', () => {
    fc.assert(
      fc.property(life, ({ steps, policy, thresholdSec, windowSec, ...given }) => {
        const input: Partial<ScheduleInput> = { ...given, misfire: { policy, thresholdSec, windowSec } };
        const lived = new Lived(createdAt(START, input));
        let now = START;
        for (const { minutes, act, ...choice } of steps) {
          now += minutes * MINUTE;
          if (lived.hasEnded) break;
          doAct(lived, act, choice, now);
          while (!lived.hasEnded && lived.schedule.isActive && lived.schedule.timer.due <= now)
            lived.claim(now, choice.previous);
        }
        const { state, timer } = lived.schedule;
        const compiled = compileTrigger(state.trigger, { tz: state.tz, dst: state.dst });
        expect(lived.early).toEqual([]);
        expect(timer.fires).toBeLessThanOrEqual(state.maxFires ?? Number.POSITIVE_INFINITY);
        const recorded = lived.records.flatMap((record) => slotsOf(compiled, record));
        const reached = Math.max(...recorded, START);
        const first = Math.max(START, (state.startAt?.getTime() ?? 0) - 1);
        expect(recorded.sort((a, b) => a - b)).toEqual(slotsIn(compiled, first, reached));
        if (!lived.hasEnded && timer.due !== Number.POSITIVE_INFINITY) {
          expect(timer.slot).toBe(nextSlot(compiled, Math.max(reached, first)));
          expect(timer.due).toBeGreaterThanOrEqual(timer.slot);
          expect(timer.due).toBeLessThan(nextSlot(compiled, timer.slot) ?? Number.POSITIVE_INFINITY);
        }
      }),
      { seed: 11, numRuns: Number(process.env['TIME_TESTS'] ?? 1) * 300 },
    );
  }, 120_000);
});

type Choice = Omit<typeof step extends fc.Arbitrary<infer Value> ? Value : never, 'minutes' | 'act'>;

function doAct(lived: Lived, act: string, { missed, jitter }: Choice, now: number): void {
  const { schedule } = lived;
  const { enabled: _, ...input } = schedule.input;
  const isWaiting = schedule.timer.due === Number.POSITIVE_INFINITY;
  if (!schedule.isActive) lived.became(schedule.resume(missed, actAt(now)));
  else if (act === 'pause') lived.became(schedule.pause({ note: null, resumeAt: null }, actAt(now)));
  else if (act === 'skipNext' && !isWaiting && schedule.timer.skipNext !== true)
    lived.became(schedule.skipNext(actAt(now)));
  else if (act === 'jitter') lived.became(schedule.replace(scheduleInput({ ...input, jitter }), actAt(now)));
  else if (act === 'maxFires' && !isWaiting && schedule.state.maxFires !== null)
    lived.became(schedule.replace(scheduleInput({ ...input, maxFires: schedule.state.maxFires + 3 }), actAt(now)));
}

/** The slots that a record stands for; a count that is told is theirs. */
function slotsOf(compiled: CompiledTrigger, { from, to, count }: Recorded): number[] {
  const slots = slotsIn(compiled, from - 1, to);
  if (count !== null && count !== slots.length)
    throw new Error(`a record counts ${count} slots where there are ${slots.length}`);
  return slots;
}

function slotsIn(compiled: CompiledTrigger, after: number, upTo: number): number[] {
  const slots: number[] = [];
  for (let at = nextSlot(compiled, after); at !== null && at <= upTo; at = nextSlot(compiled, at)) slots.push(at);
  return slots;
}
