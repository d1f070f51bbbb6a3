import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';

/* Slots that came while no engine ran: a policy decides, and what did not fire is one record that says how much. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

/** Ten slots were missed: nine minutes ago to this very minute. */
async function afterTenMinutes(
  given: Partial<ScheduleInput>,
): Promise<{ readonly schedule: MadeSchedule; readonly first: number }> {
  const schedule = await bench.schedule({ overlapPolicy: 'ALLOW_ALL', ...given });
  return { schedule, first: await bench.rewind(schedule, 10 * MINUTE) };
}

/** Steps until nothing is due; answers how often the engine wanted to go on at once. */
async function catchUp(engine: TestEngine): Promise<number> {
  let rounds = 0;
  while ((await engine.firing.fireDue()) <= 5) rounds += 1;
  await engine.settle();
  return rounds;
}

function rangeOf(from: number, to: number): unknown {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), count: (to - from) / MINUTE + 1 };
}

describe('after downtime', () => {
  it('FIRE_ONCE fires the latest slot, and records the others as one stretch', async () => {
    const { schedule, first } = await afterTenMinutes({
      misfire: { policy: 'FIRE_ONCE', thresholdSec: 30, windowSec: 86_400 },
    });
    await catchUp(bench.engine());
    expect(await bench.runsOf(schedule)).toMatchObject([
      { slot: first, state: 'SKIPPED', reason: 'MISFIRE', range: rangeOf(first, first + 8 * MINUTE) },
      { slot: first + 9 * MINUTE, state: 'SUCCEEDED', cause: 'CATCH_UP', range: null },
    ]);
    expect(await bench.timerOf(schedule)).toMatchObject({ slot: first + 10 * MINUTE, fires: 1 });
  });

  it('SKIP fires what is on time, and records the others as one stretch', async () => {
    const { schedule, first } = await afterTenMinutes({
      misfire: { policy: 'SKIP', thresholdSec: 30, windowSec: 86_400 },
    });
    await catchUp(bench.engine());
    expect(await bench.runsOf(schedule)).toMatchObject([
      { slot: first, state: 'SKIPPED', reason: 'MISFIRE', range: rangeOf(first, first + 8 * MINUTE) },
      { slot: first + 9 * MINUTE, state: 'SUCCEEDED', cause: 'SCHEDULE' },
    ]);
  });

  it('FIRE_ALL fires each of them, without pauses in between', async () => {
    const { schedule, first } = await afterTenMinutes({
      misfire: { policy: 'FIRE_ALL', thresholdSec: 30, windowSec: 86_400 },
    });
    expect(await catchUp(bench.engine())).toBeGreaterThanOrEqual(9);
    const runs = await bench.runsOf(schedule);
    expect(runs.map((run) => run.slot)).toEqual(Array.from({ length: 10 }, (_, step) => first + step * MINUTE));
    expect(runs.map((run) => run.state)).toEqual(Array.from({ length: 10 }, () => 'SUCCEEDED'));
  });

  it('a schedule that catches up is claimed at every turn, however busy the others are', async () => {
    const { schedule } = await afterTenMinutes({
      misfire: { policy: 'FIRE_ALL', thresholdSec: 30, windowSec: 86_400 },
    });
    const busy = await bench.schedule({ overlapPolicy: 'ALLOW_ALL' });
    const engine = bench.engine();
    for (let turn = 0; turn < 5; turn += 1) {
      await bench.sql`
        update timers set slot = date_trunc('milliseconds', now()), next_due = now() where schedule_id = ${busy.id}`;
      await engine.firing.fireDue();
    }
    await engine.settle();
    expect(await bench.runsOf(schedule)).toHaveLength(5);
    expect(await bench.runsOf(busy)).toHaveLength(5);
  });

  it('FIRE_ALL fires those within its window, and records the older ones as one stretch', async () => {
    const { schedule, first } = await afterTenMinutes({
      misfire: { policy: 'FIRE_ALL', thresholdSec: 30, windowSec: 210 },
    });
    await catchUp(bench.engine());
    const [skipped, ...fired] = await bench.runsOf(schedule);
    expect(skipped).toMatchObject({
      slot: first,
      state: 'SKIPPED',
      reason: 'MISFIRE',
      range: rangeOf(first, first + 5 * MINUTE),
    });
    expect(fired.map((run) => run.slot)).toEqual([6, 7, 8, 9].map((step) => first + step * MINUTE));
  });

  it('a slot whose run is still open is not fired a second time: the stretch and the overlap are one record', async () => {
    const schedule = await bench.schedule({ misfire: { policy: 'FIRE_ONCE', thresholdSec: 30, windowSec: 86_400 } });
    const first = await bench.rewind(schedule, 10 * MINUTE);
    await bench.sql`update timers set last_fired = slot - interval '1 minute' where schedule_id = ${schedule.id}`;
    await bench.sql`
      insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
      select gen_random_uuid(), gen_random_uuid(), 1, now() + interval '1 minute', array[schedule_id], array[last_fired], array[0], array[1]
      from timers where schedule_id = ${schedule.id}`;
    await bench.engine().firing.fireDue();
    expect(await bench.runsOf(schedule)).toMatchObject([
      { slot: first, state: 'SKIPPED', reason: 'OVERLAP', range: rangeOf(first, first + 9 * MINUTE) },
    ]);
  });

  it('a stretch beyond exact counting has no count', async () => {
    const misfire = { policy: 'SKIP', thresholdSec: 30, windowSec: 86_400 } as const;
    const schedule = await bench.schedule({
      misfire,
      trigger: { type: 'INTERVAL', every: 'PT1S', anchor: '2020-01-01T00:00:00Z' },
    });
    await bench.rewind(schedule, 200_000 * SECOND);
    await bench.engine().firing.fireDue();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SKIPPED', range: { count: null } }]);
  });

  it('all schedules catch up, the ones that waited longest first, and none twice', async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, () =>
        afterTenMinutes({ misfire: { policy: 'FIRE_ALL', thresholdSec: 30, windowSec: 86_400 } }),
      ),
    );
    const engines = [bench.engine({ concurrency: 7, ahead: 0 }), bench.engine({ concurrency: 7, ahead: 0 })] as const;
    const isDone = async (): Promise<boolean> =>
      (await Promise.all(made.map(({ schedule }) => bench.runsOf(schedule)))).flat().length === 120;
    while (!(await isDone())) {
      await Promise.all(engines.map((engine) => engine.firing.fireDue()));
      await Promise.all(engines.map((engine) => engine.settle()));
    }
    for (const { schedule, first } of made) {
      expect((await bench.runsOf(schedule)).map((run) => run.slot)).toEqual(
        Array.from({ length: 10 }, (_, step) => first + step * MINUTE),
      );
    }
    expect(await bench.claims()).toEqual([]);
  });
});
