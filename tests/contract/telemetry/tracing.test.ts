import { afterEach, expect, test, vi } from 'vitest';
import { encodeRunId, type RunKey, SLOT_SPACE, traceIdOf } from '../../../src/domain/ids.ts';
import { startTelemetry, type Telemetry } from '../../../src/infra/telemetry/start-telemetry.ts';
import { SLOT, scheduleId, tenantId } from '../senders/deliveries.ts';
import { type Receiver, startReceiver } from '../senders/receiver.ts';

const key: RunKey = { scheduleId: scheduleId('01920000-0000-7000-8000-000000000001'), slot: SLOT, space: SLOT_SPACE };
const run = { key, tenantId: tenantId('tenant-123') };
const attributes = {
  'scheduler.tenant_id': 'tenant-123',
  'scheduler.schedule_id': key.scheduleId,
  'scheduler.run_id': encodeRunId(key),
  'scheduler.attempt': 2,
};

afterEach(() => vi.unstubAllEnvs());

/** Telemetry that exports to `collector`, on a clock that a test moves. */
async function tracingTo(
  collector: Receiver,
  environment: Record<string, string> = {},
): Promise<{ telemetry: Telemetry; clock: { at: number } }> {
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    ...environment,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const clock = { at: SLOT + 10 };
  const telemetry = await startTelemetry({
    logLevel: 'silent',
    serviceName: 'scheduler-test',
    tracing: true,
    clock: { now: () => clock.at, monotonic: () => clock.at },
  });
  return { telemetry, clock };
}

function collectorOf(): Promise<Receiver> {
  return startReceiver((response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
}

test("a fire is a root span from its due instant, with claim, attempt and settle inside, under the run's trace id", async () => {
  await using collector = await collectorOf();
  const { telemetry, clock } = await tracingTo(collector);
  const fire = telemetry.journal.traceFire({ ...run, due: SLOT, attempt: 2 }, SLOT + 4);
  clock.at = SLOT + 50;
  fire?.attemptEnded({ kind: 'unanswered', attempt: 'HTTP_STATUS', httpStatus: 503, reason: 'HTTP 503' });
  clock.at = SLOT + 60;
  fire?.settled('RETRYING');
  await telemetry.shutdown();
  const spans = spansAt(collector);
  const root = spans.find((span) => span.name === 'fire');
  const attempt = spans.find((span) => span.name === 'attempt');
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceIdOf(key)]));
  expect(fire?.traceparent).toBe(`00-${traceIdOf(key)}-${attempt?.spanId}-01`);
  expect(
    spans.map(({ name, parent, from, to, attributes: found }) => ({
      name,
      isRoot: parent === '',
      inRoot: parent === root?.spanId,
      from,
      to,
      found,
    })),
  ).toEqual([
    { name: 'claim', isRoot: false, inRoot: true, from: 0, to: 4, found: attributes },
    {
      name: 'attempt',
      isRoot: false,
      inRoot: true,
      from: 10,
      to: 50,
      found: { ...attributes, 'scheduler.outcome': 'HTTP_STATUS', 'http.response.status_code': 503 },
    },
    { name: 'settle', isRoot: false, inRoot: true, from: 50, to: 60, found: attributes },
    {
      name: 'fire',
      isRoot: true,
      inRoot: false,
      from: 0,
      to: 60,
      found: { ...attributes, 'scheduler.state': 'RETRYING' },
    },
  ]);
  expect([attempt?.error, root?.error]).toEqual(['HTTP 503', undefined]);
});

test('every attempt at a run shares the trace, and two runs never do', async () => {
  await using collector = await collectorOf();
  const { telemetry } = await tracingTo(collector);
  const other = { ...run, key: { ...key, slot: SLOT + 1000 } };
  for (const [of, attempt] of [
    [run, 1],
    [run, 2],
    [other, 1],
  ] as const) {
    const fire = telemetry.journal.traceFire({ ...of, due: SLOT, attempt }, SLOT);
    fire?.attemptEnded({ kind: 'accepted', attempt: 'ACCEPTED' });
    fire?.settled('SUCCEEDED');
  }
  await telemetry.shutdown();
  const roots = spansAt(collector).filter((span) => span.name === 'fire');
  expect(roots.map((span) => span.traceId)).toEqual([traceIdOf(key), traceIdOf(key), traceIdOf(other.key)]);
  expect(new Set(roots.map((span) => span.spanId)).size).toBe(3);
});

test('what the sampler leaves out is no trace', async () => {
  await using collector = await collectorOf();
  const { telemetry } = await tracingTo(collector, { OTEL_TRACES_SAMPLER: 'always_off' });
  expect(telemetry.journal.traceFire({ ...run, due: SLOT, attempt: 1 }, SLOT)).toBeNull();
  await telemetry.shutdown();
  expect(collector.received).toEqual([]);
});

test('a collector that is down costs neither the fire nor the shutdown an error', async () => {
  const collector = await collectorOf();
  await collector[Symbol.asyncDispose]();
  const { telemetry } = await tracingTo(collector, { OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
  const fire = telemetry.journal.traceFire({ ...run, due: SLOT, attempt: 1 }, SLOT);
  fire?.settled('STALE');
  await expect(telemetry.shutdown()).resolves.toBeUndefined();
});

interface SeenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string;
  /** Milliseconds after the slot. */
  readonly from: number;
  readonly to: number;
  readonly attributes: Record<string, string | number>;
  readonly error: string | undefined;
}

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string; readonly intValue?: number };
  }[];
  readonly status: { readonly message?: string };
}

interface OtlpExport {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

function spansAt(collector: Receiver): SeenSpan[] {
  const exports = collector.received
    .filter((request) => request.url === '/v1/traces')
    .map((request): OtlpExport => JSON.parse(request.body));
  const spans = exports
    .flatMap((batch) => batch.resourceSpans)
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans);
  return spans.map((span) => ({
    name: span.name,
    traceId: span.traceId,
    spanId: span.spanId,
    parent: span.parentSpanId ?? '',
    from: sinceSlot(span.startTimeUnixNano),
    to: sinceSlot(span.endTimeUnixNano),
    attributes: Object.fromEntries(
      span.attributes.map(({ key: name, value }) => [name, value.stringValue ?? value.intValue ?? 0]),
    ),
    error: span.status.message,
  }));
}

function sinceSlot(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n) - SLOT;
}
