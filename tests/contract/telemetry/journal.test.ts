import { expect, test } from 'vitest';
import { encodeRunId, type RunKey, SLOT_SPACE } from '../../../src/domain/ids.ts';
import type { RunEnd } from '../../../src/domain/ports/journal.ts';
import type { LogLevel } from '../../../src/infra/telemetry/logger.ts';
import { startTelemetry, type Telemetry } from '../../../src/infra/telemetry/start-telemetry.ts';
import { SLOT, scheduleId, tenantId } from '../senders/deliveries.ts';

const key: RunKey = { scheduleId: scheduleId('01920000-0000-7000-8000-000000000001'), slot: SLOT, space: SLOT_SPACE };
const run = { key, tenantId: tenantId('tenant-123') };
const named = { runId: encodeRunId(key), scheduleId: key.scheduleId, tenantId: run.tenantId };

interface Observed {
  readonly telemetry: Telemetry;
  /** Lines so far, without their times. */
  lines(): object[];
  metric(line: string): Promise<string | undefined>;
  monotonic: number;
}

async function observed(logLevel: LogLevel = 'info'): Promise<Observed> {
  const written: string[] = [];
  const clock = { now: () => Date.now(), monotonic: () => self.monotonic };
  const telemetry = await startTelemetry({
    logLevel,
    serviceName: 'scheduler',
    tracing: false,
    clock,
    destination: { write: (text) => void written.push(text) },
  });
  const self: Observed = {
    telemetry,
    monotonic: 0,
    lines: () => written.map(withoutTime),
    metric: async (start) =>
      (await telemetry.metricsText())
        .split('\n')
        .find((line) => line.startsWith(`${start} `))
        ?.slice(start.length + 1),
  };
  return self;
}

function withoutTime(line: string): object {
  const { time, ...rest }: Record<string, unknown> = JSON.parse(line);
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return rest;
}

const TOOK_MS = 41;
const dead = { ...run, state: 'DEAD', reason: 'EXHAUSTED', attempts: { length: 8 } } as const;
const retried = { ...dead, state: 'RETRYING', reason: null } as const;
const succeeded = { ...run, state: 'SUCCEEDED', reason: null, attempts: { length: 1 } } as const;

function told({ state, reason, attempts }: RunEnd): object {
  return { ...named, state, reason, attempts: attempts.length, durationMs: TOOK_MS };
}

test('a dead run warns, a retry informs, a success is told at debug only', async () => {
  const atInfo = await observed();
  const atDebug = await observed('debug');
  for (const { telemetry } of [atInfo, atDebug]) {
    telemetry.journal.runSettled(succeeded, TOOK_MS);
    telemetry.journal.runSettled(retried, TOOK_MS);
    telemetry.journal.runSettled(dead, TOOK_MS);
  }
  const failures = [
    { level: 'info', msg: 'run.settled', ...told(retried) },
    { level: 'warn', msg: 'run.settled', ...told(dead) },
  ];
  expect(atInfo.lines()).toEqual(failures);
  expect(atDebug.lines()).toEqual([{ level: 'debug', msg: 'run.settled', ...told(succeeded) }, ...failures]);
});

test('a flood of failures is limited per second, and the number left out is told', async () => {
  const journal = await observed();
  for (let index = 0; index < 1000; index += 1) journal.telemetry.journal.runSettled(dead, TOOK_MS);
  expect(journal.lines()).toHaveLength(50);
  journal.monotonic += 1000;
  journal.telemetry.journal.runSettled(dead, TOOK_MS);
  expect(journal.lines().slice(50)).toEqual([
    { level: 'warn', msg: 'lines.suppressed', event: 'run.settled', lines: 950 },
    { level: 'warn', msg: 'run.settled', ...told(dead) },
  ]);
  expect(await journal.metric('scheduler_runs_settled_total{state="DEAD",reason="EXHAUSTED"}')).toBe('1001');
});

test('every event has its line and its number', async () => {
  const journal = await observed('debug');
  const { journal: it } = journal.telemetry;
  it.scheduleChanged('paused', { id: key.scheduleId, tenantId: run.tenantId, version: 3 }, 'alice');
  it.slotsClaimed({ claimId: 'c1', fired: 3, skipped: 2, oldestLateMs: 12, tookMs: 4 });
  it.retriesClaimed({ claimId: 'c2', runs: 5 });
  it.claimsRecovered({ claims: 1, runs: 7, poisoned: 2 });
  it.attemptStarted(run, 250);
  it.runPostponed();
  it.breakerChanged({ tenantId: run.tenantId, origin: 'https://a.example', state: 'OPEN', openMs: 30_000 });
  it.outcomeStale(run);
  it.leaseLost('c1');
  it.loopFailed('fire', new Error('connection lost'));
  it.requestFailed({ method: 'GET', route: '/schedules/{id}', traceId: 't' }, new Error('boom'));
  it.note('listening', { port: 8080 });
  expect(it.traceFire({ ...run, due: SLOT, attempt: 1 }, SLOT)).toBeNull();
  expect(journal.lines()).toEqual([
    {
      level: 'info',
      msg: 'schedule.paused',
      scheduleId: key.scheduleId,
      tenantId: 'tenant-123',
      version: 3,
      by: 'alice',
    },
    { level: 'debug', msg: 'slots.claimed', claimId: 'c1', fired: 3, skipped: 2, oldestLateMs: 12, tookMs: 4 },
    { level: 'debug', msg: 'retries.claimed', claimId: 'c2', runs: 5 },
    { level: 'warn', msg: 'claims.recovered', claims: 1, runs: 7, poisoned: 2 },
    {
      level: 'warn',
      msg: 'breaker.open',
      tenantId: 'tenant-123',
      origin: 'https://a.example',
      state: 'OPEN',
      openMs: 30_000,
    },
    { level: 'warn', msg: 'outcome.stale', ...named },
    { level: 'warn', msg: 'lease.lost', claimId: 'c1' },
    {
      level: 'error',
      msg: 'loop.failed',
      loop: 'fire',
      err: expect.objectContaining({ type: 'Error', message: 'connection lost' }),
    },
    {
      level: 'error',
      msg: 'request.failed',
      method: 'GET',
      route: '/schedules/{id}',
      traceId: 't',
      err: expect.objectContaining({ message: 'boom' }),
    },
    { level: 'info', msg: 'listening', port: 8080 },
  ]);
  const numbers = [
    'scheduler_schedule_changes_total{event="paused"}',
    'scheduler_slots_claimed_total{fate="fired"}',
    'scheduler_slots_claimed_total{fate="skipped"}',
    'scheduler_retries_claimed_total',
    'scheduler_runs_recovered_total',
    'scheduler_runs_poisoned_total',
    'scheduler_fire_lateness_seconds_sum',
    'scheduler_claim_duration_seconds_sum',
    'scheduler_runs_postponed_total',
    'scheduler_breaker_changes_total{state="OPEN"}',
    'scheduler_outcomes_stale_total',
    'scheduler_leases_lost_total',
    'scheduler_loop_failures_total{loop="fire"}',
    'scheduler_request_failures_total{method="GET",route="/schedules/{id}"}',
  ];
  expect(await Promise.all(numbers.map(journal.metric))).toEqual([
    '1',
    '3',
    '2',
    '5',
    '7',
    '2',
    '0.25',
    '0.004',
    '1',
    '1',
    '1',
    '1',
    '1',
    '1',
  ]);
});

test('a gauge is read when the metrics are', async () => {
  const journal = await observed();
  let inFlight = 1;
  journal.telemetry.gauge('scheduler_deliveries_in_flight', 'Deliveries under way.', () => inFlight);
  inFlight = 42;
  expect(await journal.metric('scheduler_deliveries_in_flight')).toBe('42');
});

test('a length that is no number counts as none instead of throwing', async () => {
  const journal = await observed();
  for (const lateMs of [Number.NaN, -5, Number.POSITIVE_INFINITY])
    journal.telemetry.journal.attemptStarted(run, lateMs);
  expect(await journal.metric('scheduler_fire_lateness_seconds_count')).toBe('3');
  expect(await journal.metric('scheduler_fire_lateness_seconds_sum')).toBe('0');
});

test('every metric of ours is named in base units and carries no tenant', async () => {
  const { telemetry } = await observed();
  telemetry.journal.runSettled(succeeded, TOOK_MS);
  const text = await telemetry.metricsText();
  const names = [...text.matchAll(/^# TYPE (scheduler_\S+) (\w+)$/gm)].map(([, name, type]) => [name, type]);
  expect(names.length).toBeGreaterThan(10);
  const suffixes = new Map([
    ['histogram', /_seconds$/],
    ['counter', /_total$/],
    ['gauge', /^(?!.*_total$)/],
  ]);
  for (const [name, type = ''] of names) expect(name, type).toMatch(suffixes.get(type) ?? /^$/);
  expect(text).not.toContain('tenant-123');
});

test('no secret reaches a line: neither in a field, nor in an error, nor in its cause', async () => {
  const journal = await observed();
  const canary = 'canary-7f3a';
  const error = new Error(`cannot reach postgres://app:${canary}@db:5432/x`, {
    cause: new Error(`tried https://u:${canary}@proxy/`),
  });
  journal.telemetry.journal.loopFailed('fire', error);
  journal.telemetry.logger.warn(
    { token: canary, headers: { authorization: canary, 'webhook-signature': canary }, secret: { deep: canary } },
    'odd',
  );
  const text = JSON.stringify(journal.lines());
  expect(text).not.toContain(canary);
  expect(text).toContain('postgres://app:[redacted]@db:5432/x');
});
