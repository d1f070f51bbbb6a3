import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rezoned } from '../../../src/domain/entities/rezoned.ts';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { ScheduleVersion } from '../../../src/domain/entities/schedule-version.ts';
import type { TimerState } from '../../../src/domain/entities/timer.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { at, createdAt, DAY, HOUR, ID, TEN, TENANT } from './builders.ts';

/*
 * Zone data can not be changed within a process. Two zones an hour apart stand for one zone under older and newer data: what
 * the one put at 9:00 lies at 8:00 or 10:00 of the other.
 */
const WEST = 'Africa/Algiers';
const EAST = 'Africa/Maputo';
const NAIROBI = 'Africa/Nairobi';

const NEW_YEAR = Date.UTC(2026, 0, 1) / DAY;
/** Weekends, and the first three days of March. */
const CLOSED = { days: [NEW_YEAR + 59, NEW_YEAR + 61], weekly: 0b100_0001 };

function versionIn(tz: string, given: Partial<ScheduleInput>): ScheduleVersion {
  const { state } = createdAt(TEN - 30 * DAY, { ...given, tz });
  const excluded = given.calendars == null ? null : { ...CLOSED, revision: 1 };
  return new ScheduleVersion({ scheduleId: ID, tenantId: TENANT, version: 1 }, { ...state, excluded });
}

const daily = (cron: string): Partial<ScheduleInput> => ({ trigger: { type: 'CRON', cron } });

function pending(version: ScheduleVersion, after: number): TimerState {
  const timer = version.firstTimer(after);
  if (timer === null) throw new Error('no slot');
  return timer;
}

describe('under newer zone data', () => {
  it('the pending slot moves to where its local time now lies', () => {
    const timer = pending(versionIn(WEST, daily('0 9 * * *')), TEN);
    expect(at(timer.slot)).toBe('2026-03-03T08:00:00Z');
    expect(at(rezoned(timer, versionIn(EAST, daily('0 9 * * *')), TEN)?.slot)).toBe('2026-03-03T07:00:00Z');
  });

  it('a slot that has just fired does not come again where its local time now lies ahead', () => {
    // 9:00 was 7:00 UTC and has fired; the newer data says 8:00 UTC.
    const now = Date.UTC(2026, 2, 2, 7, 30);
    const timer = { ...pending(versionIn(EAST, daily('0 9 * * *')), now), cursor: Date.UTC(2026, 2, 2, 7) };
    expect(at(timer.slot)).toBe('2026-03-03T07:00:00Z');
    expect(at(rezoned(timer, versionIn(WEST, daily('0 9 * * *')), now)?.slot)).toBe('2026-03-03T08:00:00Z');
  });

  it('a slot whose new time has passed fires when it was going to', () => {
    const now = Date.UTC(2026, 2, 2, 7, 30);
    const timer = pending(versionIn(WEST, daily('0 9 * * *')), now);
    expect(at(timer.slot)).toBe('2026-03-02T08:00:00Z');
    expect(rezoned(timer, versionIn(EAST, daily('0 9 * * *')), now)).toBeNull();
  });

  it('a slot that is due, a chain, and a schedule that waits for its last run stay as they are', () => {
    const east = versionIn(EAST, daily('0 9 * * *'));
    const timer = pending(versionIn(WEST, daily('0 9 * * *')), TEN);
    expect(rezoned(timer, east, timer.due)).toBeNull();
    expect(rezoned({ ...timer, due: Number.POSITIVE_INFINITY }, east, TEN)).toBeNull();
    const chain = versionIn(EAST, { trigger: { type: 'FIXED_DELAY', delaySec: 60 } });
    expect(rezoned(pending(chain, TEN), chain, TEN)).toBeNull();
  });

  it('jitter is counted from the new slot', () => {
    const given = { ...daily('0 9 * * *'), jitter: 'PT5M' };
    const moved = rezoned(pending(versionIn(WEST, given), TEN), versionIn(EAST, given), TEN);
    expect(moved?.due).toBe(versionIn(EAST, given).dueOf(Date.UTC(2026, 2, 3, 7)));
  });

  it('a slot that its calendar moved stays on its date, and the clock of that date counts', () => {
    const given: Partial<ScheduleInput> = {
      ...daily('0 9 * * SAT'),
      calendars: { exclude: ['closed'], onExcluded: 'FOLLOWING' },
    };
    const timer = pending(versionIn(WEST, given), TEN + 2 * DAY);
    expect([at(timer.slot), at(timer.due)]).toEqual(['2026-03-07T08:00:00Z', '2026-03-09T08:00:00Z']);
    const moved = rezoned(timer, versionIn(EAST, given), Date.UTC(2026, 2, 8));
    expect([at(moved?.slot), at(moved?.due)]).toEqual(['2026-03-07T07:00:00Z', '2026-03-09T07:00:00Z']);
  });

  it('every local time fires exactly once, whatever moves it and whenever the data changes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('0 9 * * *', '30 8,17 * * *', '0 0,12 * * *', '15 0,6,12,18 * * *', '59 23 * * *'),
        fc.constantFrom('FOLLOWING', 'PRECEDING', 'MODIFIED_FOLLOWING', 'SKIP', null),
        fc.constantFrom<[string, string]>([WEST, EAST], [EAST, WEST], [WEST, NAIROBI], [NAIROBI, WEST]),
        fc.integer({ min: 0, max: 14 * 24 * 4 }),
        (cron, onExcluded, [older, newer], quarters) => {
          const calendars = onExcluded === null ? {} : { calendars: { exclude: ['closed'], onExcluded } as const };
          const given = { ...daily(cron), ...calendars };
          const changeAt = Date.UTC(2026, 1, 20) + quarters * (HOUR / 4);
          const lived = lifeOf([older, newer], given, changeAt, Date.UTC(2026, 2, 20));
          const alone = lifeOf([older, older], given, changeAt, Date.UTC(2026, 2, 20));
          expect({ cron, onExcluded, older, newer, changeAt: at(changeAt), slots: [...lived].sort() }).toEqual({
            ...{ cron, onExcluded, older, newer, changeAt: at(changeAt) },
            slots: [...alone].sort(),
          });
        },
      ),
      { seed: 7, numRuns: Number(process.env['TIME_TESTS'] ?? 1) * 200 },
    );
  }, 120_000);
});

/** The local times of all slots handled in order up to an instant, under the data that put each of them where it was. */
function lifeOf(
  [older, newer]: [string, string],
  given: Partial<ScheduleInput>,
  changeAt: number,
  end: number,
): string[] {
  const handled: string[] = [];
  let [tz, slotTz] = [older, older];
  let version = versionIn(older, given);
  let timer: TimerState = pending(version, Date.UTC(2026, 1, 10));
  for (;;) {
    if (tz === older && timer.due > changeAt) {
      tz = newer;
      version = versionIn(newer, given);
      const moved = rezoned(timer, version, changeAt);
      if (moved !== null) slotTz = newer;
      timer = moved ?? timer;
    }
    const local = localTime(timer.slot, slotTz).slice(0, 16);
    if (timer.due > end) return handled.filter((time) => time < new Date(end - 5 * DAY).toISOString().slice(0, 16));
    const { fired, skipped, next } = version.fire(timer, timer.due, 'ENDED');
    const stretch = skipped === null ? [] : stretchTimes(version, skipped, slotTz, tz);
    handled.push(...(fired === null ? stretch : [local]));
    if (next === 'COMPLETED' || 'disabled' in next) throw new Error('it does not end');
    timer = next;
    slotTz = tz;
  }
}

function stretchTimes(
  version: ScheduleVersion,
  { from, to }: { readonly from: number; readonly to: number },
  slotTz: string,
  tz: string,
): string[] {
  const times = [localTime(from, slotTz).slice(0, 16)];
  for (let slot = version.nextOf(from); slot !== null && slot <= to; slot = version.nextOf(slot))
    times.push(localTime(slot, tz).slice(0, 16));
  return times;
}
