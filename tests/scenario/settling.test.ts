import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/entities/run.ts';
import { decodeRunId, type RunKey } from '../../src/domain/ids.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { FAILED, ScriptedSenders, type Sent } from '../support/scripted-senders.ts';

/* What one settlement writes, whatever outcomes it holds. */

const MINUTE = 60_000;
const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED' };
const WITH_STATUS: Outcome = { kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 204 };

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

async function due(): Promise<MadeSchedule> {
  const schedule = await bench.schedule();
  await bench.rewind(schedule, MINUTE);
  return schedule;
}

async function shownRun({ id, caller }: MadeSchedule) {
  const { items } = await bench.runs.list(caller, { limit: 5, scheduleId: id, organizationId: null });
  return items[0];
}

function keyOf(sent: Sent | undefined): RunKey {
  const key = sent === undefined ? null : decodeRunId(sent.runId);
  if (key === null) throw new Error('nothing was sent');
  return key;
}

describe('a run that succeeds at once', () => {
  it('is shown with its attempt, which its row tells without a list', async () => {
    const schedule = await due();
    const engine = bench.engine({ senders: new ScriptedSenders(() => ACCEPTED) });
    await engine.firing.fireDue();
    await engine.settle();
    const [row] = await bench.runsOf(schedule);
    expect(row).toMatchObject({ state: 'SUCCEEDED', attempts: [], nextAttemptAt: null });
    const startedAt = new Date(row?.startedAt ?? Number.NaN).toISOString();
    const endedAt = new Date(row?.endedAt ?? Number.NaN).toISOString();
    const shown = await shownRun(schedule);
    expect(shown?.attempts).toEqual([{ number: 1, startedAt, endedAt, outcome: 'ACCEPTED' }]);
  });

  it('keeps what its target answered, which is no list either', async () => {
    const schedule = await due();
    const engine = bench.engine({ senders: new ScriptedSenders(() => WITH_STATUS) });
    await engine.firing.fireDue();
    await engine.settle();
    const [row] = await bench.runsOf(schedule);
    expect(row).toMatchObject({ state: 'SUCCEEDED', attempts: [] });
    expect((await shownRun(schedule))?.attempts).toMatchObject([{ number: 1, outcome: 'ACCEPTED', httpStatus: 204 }]);
  });

  it('has a list where there is more to tell of its attempt', async () => {
    const schedule = await due();
    const told: Outcome = { ...WITH_STATUS, reason: 'accepted for later' };
    const engine = bench.engine({ senders: new ScriptedSenders(() => told) });
    await engine.firing.fireDue();
    await engine.settle();
    const [row] = await bench.runsOf(schedule);
    expect(row?.attempts).toMatchObject([
      { number: 1, outcome: 'ACCEPTED', httpStatus: 204, error: 'accepted for later' },
    ]);
    expect((await shownRun(schedule))?.attempts).toEqual(row?.attempts);
  });
});

describe('a claim of slots of every fate', () => {
  it('settles each run that starts as its own schedule, at its own slot and version, of its own tenant', async () => {
    const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
    const policies = ['SKIP', 'ALLOW_ALL', 'BUFFER_ONE', 'CANCEL_OTHER', 'SKIP'] as const;
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    const overlapping = await Promise.all(policies.map((overlapPolicy) => bench.schedule({ overlapPolicy, misfire })));
    for (const [index, schedule] of overlapping.entries()) await bench.rewind(schedule, 2 * MINUTE + index);
    await engine.firing.fireDue();
    expect(senders.sent).toHaveLength(policies.length);
    const startAt = new Date((await bench.now()) - MINUTE / 2).toISOString();
    const ending = await bench.schedule({ trigger: { type: 'ONE_SHOT', startAt }, misfire });
    const edited = await due();
    await bench.schedules.patch(edited.caller, edited.id, (now) => ({ ...now, timeoutSec: 31 }), null);
    const schedules = [...overlapping, ending, await due(), edited];
    // What ends a schedule is settled another way, and with all that is settled beside it.
    senders.answer = ({ key }) => (key.scheduleId === ending.id ? null : ACCEPTED);
    await engine.firing.fireDue();
    const started = senders.sent.slice(policies.length);
    expect(started.map(({ version }) => version).toSorted((one, other) => one - other)).toEqual([1, 1, 1, 1, 2]);
    await engine.settle(policies.length + 1);
    for (const sent of started) {
      const { scheduleId, slot } = keyOf(sent);
      if (scheduleId === ending.id) continue;
      const schedule = schedules.find(({ id }) => id === scheduleId);
      const run = schedule && (await bench.runsOf(schedule)).find((row) => row.slot === slot);
      expect(run).toMatchObject({ state: 'SUCCEEDED', slot, version: sent.version });
    }
    const runs = await bench.sql<{ id: string; tenant: string }[]>`
      select schedule_id as id, tenant_id as tenant from runs where schedule_id in ${bench.sql(schedules.map(({ id }) => id))}`;
    for (const { id, tenant } of runs)
      expect(tenant).toBe(schedules.find((schedule) => schedule.id === id)?.caller.tenantId);
  });
});

describe('outcomes of every kind in one settlement', () => {
  it('are all written, and the claim goes with them', async () => {
    const schedules = [await due(), await due(), await due()];
    const answers = [ACCEPTED, FAILED, WITH_STATUS];
    const senders = new ScriptedSenders(() => answers[senders.sent.length - 1] ?? ACCEPTED);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.settle();
    const states = await Promise.all(schedules.map(async (schedule) => (await bench.runsOf(schedule))[0]?.state));
    expect(states).toContain('RETRYING');
    expect(states.filter((state) => state === 'SUCCEEDED')).toHaveLength(2);
    expect(await bench.claims()).toEqual([]);
    expect(engine.stale).toEqual([]);
  });

  it('leave alone what somebody else has ended meanwhile, and that alone', async () => {
    const schedules = [await due(), await due(), await due()];
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    const ended = keyOf(senders.sent[0]);
    const tenantId = schedules.find(({ id }) => id === ended.scheduleId)?.caller.tenantId ?? '';
    await bench.sql`
      insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
      values (${ended.scheduleId}, to_timestamp(${ended.slot}::float8 / 1000), 0, ${tenantId}, 1, 'CANCELLED', 'BY_USER', 'SCHEDULE', now(), now())`;
    senders.release(ACCEPTED);
    await engine.settle();
    const states = await Promise.all(schedules.map(async (schedule) => (await bench.runsOf(schedule))[0]?.state));
    expect(states).toContain('CANCELLED');
    expect(states.filter((state) => state === 'SUCCEEDED')).toHaveLength(2);
    expect(engine.stale).toEqual([ended]);
    expect(await bench.claims()).toEqual([]);
  });

  it('are stale where another has taken the claim over, plain and other ones', async () => {
    const schedules = [await due(), await due()];
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await bench.sql`update claims set fence = fence + 1`;
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await Promise.all(schedules.map((schedule) => bench.runsOf(schedule)))).toEqual([[], []]);
    expect(engine.stale).toHaveLength(2);
    expect(await bench.claims()).toHaveLength(1);
  });
});
