import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/entities/run.ts';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { asTenantId, type TenantId } from '../../src/domain/ids.ts';
import type { DueSlot } from '../../src/domain/ports/engine-store.ts';
import type { Sender, Senders } from '../../src/domain/ports/sender.ts';
import { TenantFlightLimits } from '../../src/domain/services/tenant-flight-limits.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { ACCEPTED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* What a tenant may fire in a minute and deliver at once, as a receiver sees it. */

const MINUTE = 60_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  await bench.clear();
  await bench.sql`delete from tenant_minutes`;
});

/** So many schedules of one tenant, a slot of each due, the first one longest. */
async function dueTogether(count: number, given: Partial<ScheduleInput> = {}): Promise<readonly MadeSchedule[]> {
  const first = await bench.schedule(given);
  const { state } = await bench.schedules.get(first.caller, first.id);
  const all = [first];
  for (let made = 1; made < count; made += 1) {
    const { schedule } = await bench.schedules.create(first.caller, { ...state, enabled: true });
    all.push({ id: schedule.state.id, caller: first.caller });
  }
  for (const [index, schedule] of all.entries()) {
    await bench.rewind(schedule, MINUTE);
    await bench.sql`update timers set next_due = next_due - ${count - index}::int * interval '1 second' where schedule_id = ${schedule.id}`;
  }
  return all;
}

async function grant({ caller }: MadeSchedule, quotas: object): Promise<void> {
  await bench.sql`
    insert into tenants (tenant_id, quotas) values (${caller.tenantId}, ${JSON.stringify(quotas)}::text::jsonb)
    on conflict (tenant_id) do update set quotas = excluded.quotas`;
}

async function fates(schedules: readonly MadeSchedule[]): Promise<readonly string[]> {
  const runs = await Promise.all(schedules.map((schedule) => bench.runsOf(schedule)));
  return runs.flat().map((run) => [run.state, run.reason].filter((part) => part !== null).join(' '));
}

/** Takes its time to answer, and knows how many deliveries of a tenant it had at once. */
class CountingReceiver implements Senders {
  readonly most = new Map<TenantId, number>();
  readonly #now = new Map<TenantId, number>();

  of(): Sender {
    return { send: (delivery) => this.#receive(delivery.tenantId) };
  }

  check(): void {}

  async #receive(tenantId: TenantId): Promise<Outcome> {
    const flying = (this.#now.get(tenantId) ?? 0) + 1;
    this.#now.set(tenantId, flying);
    this.most.set(tenantId, Math.max(flying, this.most.get(tenantId) ?? 0));
    await new Promise((resolve) => setImmediate(resolve));
    this.#now.set(tenantId, (this.#now.get(tenantId) ?? 1) - 1);
    return ACCEPTED;
  }
}

/** A claim is not made across the end of a minute: what is counted would begin anew in the middle of a test. */
async function earlyInMinute(): Promise<void> {
  await until('the minute is young', async () => (await bench.now()) % MINUTE < 50_000);
}

describe('the fires of a tenant in a minute', () => {
  it('are as many as it was granted; a slot beyond them is SKIPPED with reason QUOTA, and the next one comes', async () => {
    await earlyInMinute();
    const schedules = await dueTogether(5);
    const [other] = await dueTogether(1);
    const [first] = schedules;
    if (first === undefined || other === undefined) throw new Error('no schedule');
    await grant(first, { firesPerMinute: 3 });
    const senders = new ScriptedSenders();
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.settle();
    expect(senders.sent).toHaveLength(4);
    expect(await fates(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SKIPPED QUOTA', 'SKIPPED QUOTA']);
    expect(await fates([other])).toEqual(['SUCCEEDED']);
    const timers = await Promise.all(schedules.map((schedule) => bench.timerOf(schedule)));
    expect(timers.map((timer) => timer?.fires)).toEqual([1, 1, 1, 0, 0]);
    expect(timers.every((timer) => timer !== undefined && timer.due > Date.now() - MINUTE)).toBe(true);
    const counted = await bench.sql`select tenant_id, fires from tenant_minutes`;
    expect(counted).toEqual([{ tenant_id: first.caller.tenantId, fires: 5 }]);
  });

  it('begin anew with each minute', async () => {
    await earlyInMinute();
    const schedules = await dueTogether(2);
    const [first] = schedules;
    if (first === undefined) throw new Error('no schedule');
    await grant(first, { firesPerMinute: 2 });
    await bench.sql`insert into tenant_minutes (tenant_id, minute, fires) values (${first.caller.tenantId}, date_trunc('minute', now()) - interval '1 minute', 100)`;
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await fates(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('are counted over all engines that claim at once, and not by a claim that was rolled back', async () => {
    await earlyInMinute();
    const schedules = await dueTogether(40);
    const [first] = schedules;
    if (first === undefined) throw new Error('no schedule');
    await grant(first, { firesPerMinute: 10 });
    const engines = [bench.engine(), bench.engine(), bench.engine(), bench.engine()];
    const fail = () => {
      throw new Error('the process fails before it commits');
    };
    const claimant = { owner: first.id, claimId: first.id, leaseMs: 1000 };
    await expect(engines[0]?.store.fireDue({ live: 40, late: 40, excluded: [] }, claimant, fail)).rejects.toThrow(
      'before it commits',
    );
    const decide = (due: readonly DueSlot[], now: number) =>
      due.map(({ version, timer, previous }) => {
        if (version === null) throw new Error('a definition is gone');
        return version.fire(timer, now, previous);
      });
    await Promise.all(
      engines.map(({ store, owner }) =>
        store.fireDue({ live: 10, late: 10, excluded: [] }, { ...claimant, claimId: owner }, decide),
      ),
    );
    const [fired] = await bench.sql`select coalesce(sum(cardinality(slots)), 0)::int as count from claims`;
    const [skipped] =
      await bench.sql`select count(*)::int as count from runs where reason = 'QUOTA' and tenant_id = ${first.caller.tenantId}`;
    expect([fired?.['count'], skipped?.['count']]).toEqual([10, 30]);
  });

  it('that were missed and are made up for count too; what is beyond them is one skipped stretch', async () => {
    await earlyInMinute();
    const schedules = await dueTogether(1, { misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 } });
    const [schedule] = schedules;
    if (schedule === undefined) throw new Error('no schedule');
    await bench.rewind(schedule, 10 * MINUTE);
    await grant(schedule, { firesPerMinute: 0 });
    const engine = bench.engine();
    await engine.firing.fireDue();
    const runs = await bench.runsOf(schedule);
    expect(runs.map((run) => [run.state, run.reason, run.range?.count])).toEqual([['SKIPPED', 'QUOTA', 11]]);
    expect((await bench.timerOf(schedule))?.due).toBeGreaterThan(await bench.now());
  });

  it('cost nothing where nobody was granted any', async () => {
    const [schedule] = await dueTogether(1);
    if (schedule === undefined) throw new Error('no schedule');
    await bench.sql`delete from tenants`;
    const engine = bench.engine();
    await engine.firing.fireDue();
    expect([await bench.sql`select from tenant_minutes`, (await bench.timerOf(schedule))?.fires]).toEqual([[], 1]);
  });
});

describe('the deliveries of a tenant at once', () => {
  it('are as many as it was granted, divided among the engines; the rest waits and follows', async () => {
    const schedules = await dueTogether(7);
    const [other] = await dueTogether(1);
    const [first] = schedules;
    if (first === undefined || other === undefined) throw new Error('no schedule');
    const limits = new TenantFlightLimits(null);
    limits.learn({ granted: new Map([[first.caller.tenantId, 5]]), engines: 2 });
    const receiver = new CountingReceiver();
    const engine = bench.engine({ senders: receiver, ofTenant: (tenantId) => limits.of(tenantId) });
    await engine.firing.fireDue();
    await engine.settle();
    expect([receiver.most.get(first.caller.tenantId), receiver.most.get(other.caller.tenantId)]).toEqual([2, 1]);
    expect(new Set(await fates([...schedules, other]))).toEqual(new Set(['SUCCEEDED']));
  });

  it('are at least one for each engine, and without limit where none was set', () => {
    const tenantId = asTenantId('a');
    if (tenantId === null) throw new Error('a tenant id was refused');
    const limits = new TenantFlightLimits(4);
    const of = (engines: number) => {
      limits.learn({ granted: new Map(), engines });
      return limits.of(tenantId);
    };
    expect([of(1), of(2), of(3), of(9)]).toEqual([4, 2, 1, 1]);
    expect(new TenantFlightLimits(null).of(tenantId)).toBe(Number.POSITIVE_INFINITY);
  });
});
