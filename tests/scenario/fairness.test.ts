import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LANES } from '../../src/domain/ports/run-repository.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { ACCEPTED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* What may hold up what: a tenant's flood others' slots, and what is late or done again live slots. */

const MINUTE = 60_000;
const TEN_MINUTES = 10 * MINUTE;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

/** So many further schedules of the tenant, like this one, all due at the same instant. */
async function flood({ id }: MadeSchedule, count: number): Promise<void> {
  await bench.sql`
    with made as (
      insert into schedule_versions
      select (jsonb_populate_record(v, jsonb_build_object('schedule_id', gen_random_uuid()))).*
      from schedule_versions v, generate_series(1, ${count}) where v.schedule_id = ${id} and v.version = 1 returning schedule_id
    )
    insert into timers select (jsonb_populate_record(t, jsonb_build_object('schedule_id', m.schedule_id))).* from timers t, made m where t.schedule_id = ${id}`;
}

const QUIET = { kind: 'EVENT', eventTopic: 'quiet' } as const;

function countOfQuiet(senders: ScriptedSenders): number {
  return senders.sent.filter(({ target }) => target.kind === 'EVENT' && target.eventTopic === 'quiet').length;
}

describe('a tenant that floods a process', () => {
  it('is left out of claims while it holds much: the slots of another are found behind its own', async () => {
    const noisy = await bench.schedule();
    await bench.rewind(noisy, MINUTE + 20_000);
    await flood(noisy, 5000);
    const quiet = await bench.schedule({ target: QUIET });
    await bench.rewind(quiet, MINUTE);
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders, concurrency: 100, ahead: 900 });
    for (let turn = 0; turn < 10 && countOfQuiet(senders) === 0; turn += 1) await engine.firing.fireDue();
    expect(countOfQuiet(senders)).toBe(1);
    expect(senders.sent.length).toBeLessThanOrEqual(81);
    expect(engine.delivery.open).toBeLessThan(1000);
  });

  it('goes on as its runs are settled, to the last one', async () => {
    const noisy = await bench.schedule();
    const slot = await bench.rewind(noisy, MINUTE + 20_000);
    await flood(noisy, 2000);
    const senders = new ScriptedSenders();
    const engine = bench.engine({ senders, concurrency: 100, ahead: 200 });
    const countFired = (): number => senders.sent.filter((sent) => sent.slot === slot).length;
    for (let turn = 0; turn < 100 && countFired() < 2001; turn += 1) {
      await engine.firing.fireDue();
      await engine.settle();
    }
    expect(countFired()).toBe(2001);
  });
});

describe('slots that became due ten minutes ago', () => {
  it('are claimed behind live ones, and no faster than at their pace', async () => {
    const old = await bench.schedule();
    await bench.rewind(old, TEN_MINUTES);
    await flood(old, 1000);
    const live = await bench.schedule({ target: QUIET });
    await bench.rewind(live, MINUTE);
    const senders = new ScriptedSenders();
    const engine = bench.engine({ senders, catchUpPerSec: 200 });
    const beganAt = engine.clock.monotonic();
    await engine.firing.fireDue();
    expect([countOfQuiet(senders), senders.sent.length]).toEqual([1, 21]);
    while (senders.sent.length < 100) await engine.firing.fireDue();
    const tookMs = engine.clock.monotonic() - beganAt;
    expect(tookMs).toBeGreaterThanOrEqual(((100 - 21 - 20) / 200) * 1000);
    await engine.settle();
  });
});

describe('the lanes of what waits', () => {
  it('are claimed by weight, backfills and redrives at their pace: none waits behind a backlog of another', async () => {
    const schedule = await bench.schedule();
    for (const lane of Object.values(LANES))
      await bench.sql`
        with made as (
          insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due, attempts)
          select ${schedule.id}, now(), 100 + g * 10 + ${lane}::int, ${schedule.caller.tenantId}, 1, 'PENDING',
                 ${lane === LANES.catchUp ? 'BACKFILL' : 'MANUAL'}, now(), ${attemptsOf(lane)}::text::jsonb
          from generate_series(1, 300) g returning schedule_id, slot, space, tenant_id, version)
        insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due)
        select schedule_id, slot, space, tenant_id, version, ${lane}, now() - (4 - ${lane}::int) * interval '1 minute' from made`;
    const engine = bench.engine({
      senders: new ScriptedSenders(() => ACCEPTED),
      concurrency: 130,
      ahead: 390,
      catchUpPerSec: 100,
    });
    await engine.firing.fireWaiting();
    await engine.settle();
    const left = await bench.sql<{ lane: number; left: number }[]>`
      select lane, count(*)::int as left from retries group by lane order by lane`;
    expect(left.map((row) => 300 - row.left)).toEqual([80, 30, 5, 5]);
  });
});

function attemptsOf(lane: number): string {
  const instant = new Date(0).toISOString();
  const attempt = { number: 1, startedAt: instant, endedAt: instant, outcome: 'TIMEOUT' };
  if (lane === LANES.retry) return JSON.stringify([attempt]);
  return lane === LANES.redrive ? JSON.stringify([{ ...attempt, final: true }]) : '[]';
}

describe('a database that is slow to settle', () => {
  it('stops claims: no more is claimed than is allowed to be open, and the rest once it has been settled', async () => {
    const first = await bench.schedule();
    await bench.rewind(first, MINUTE);
    await flood(first, 499);
    const senders = new ScriptedSenders();
    const engine = bench.engine({ senders, concurrency: 50, ahead: 150 });
    const countClaimed = async (): Promise<number> =>
      (await bench.claims()).reduce((claimed, { size }) => claimed + size, 0);
    const settlements: Promise<number>[] = [];
    await bench.sql.begin(async (sql) => {
      await sql`lock table runs in share row exclusive mode`;
      await engine.firing.fireDue();
      await until('a settlement waits for the database', () => {
        settlements.push(engine.settling.settle());
        return engine.delivery.waiting.count === 0;
      });
      for (let turn = 0; turn < 30; turn += 1) await engine.firing.fireDue();
      // Delivered all the same: what waits for the database is what holds the claims up.
      expect([engine.delivery.flying, engine.firing.lacksSlots]).toEqual([0, true]);
      expect(engine.delivery.open).toBe(senders.sent.length);
      expect(await countClaimed()).toBe(senders.sent.length);
      expect(senders.sent.length).toBeGreaterThan(50);
      expect(senders.sent.length).toBeLessThanOrEqual(200);
    });
    await Promise.all(settlements);
    for (let turn = 0; turn < 100 && senders.sent.length < 500; turn += 1) {
      await engine.settle();
      await engine.firing.fireDue();
    }
    await engine.settle();
    expect(new Set(senders.sent.map(({ runId }) => runId)).size).toBe(500);
    expect(await bench.claims()).toEqual([]);
  });
});
