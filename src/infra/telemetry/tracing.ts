import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Outcome, RunState } from '../../domain/entities/run.ts';
import { encodeRunId, type RunKey, traceIdOf } from '../../domain/ids.ts';
import type { FireTrace, Journal } from '../../domain/ports/journal.ts';

/** Starts the trace of an attempt; `due` and `claimedAt` are epoch ms. Null when the sampler leaves it out. */
export interface Tracing {
  traceFire(attempt: TracedAttempt, claimedAt: number): FireTrace | null;
  /** Sends what is buffered. Rejects when that fails. */
  shutdown(): Promise<void>;
}

type TracedAttempt = Parameters<Journal['traceFire']>[0];

/**
 * Starts the OpenTelemetry SDK for traces alone. Exporter, sampler and resource are configured by the standard OTEL_*
 * variables, which the SDK reads itself. `now` is epoch ms on the clock of `due` and `claimedAt`. The SDK is loaded here
 * and not above: it takes 0.4 s and 55 MB that a process without an exporter does not spend.
 */
export async function startTracing(serviceName: string, now: () => number): Promise<Tracing> {
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const ids = new RunTraceIds();
  const sdk = new NodeSDK({
    serviceName,
    idGenerator: ids,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  const tracer = trace.getTracer('scheduler-domain');
  return {
    traceFire: (attempt, claimedAt) => startFire({ tracer, ids, now }, attempt, claimedAt),
    shutdown: async () => {
      trace.disable();
      await sdk.shutdown();
    },
  };
}

/** Random ids, except for the root of a run's trace: its trace id is the run's, over every attempt and on every node. */
class RunTraceIds {
  #next: string | null = null;

  /** `start` must start a root span before it returns. */
  withTraceOf<T>(key: RunKey, start: () => T): T {
    this.#next = traceIdOf(key);
    try {
      return start();
    } finally {
      this.#next = null;
    }
  }

  generateTraceId(): string {
    return this.#next ?? randomBytes(16).toString('hex');
  }

  generateSpanId(): string {
    return randomBytes(8).toString('hex');
  }
}

interface Tools {
  readonly tracer: Tracer;
  readonly ids: RunTraceIds;
  readonly now: () => number;
}

function startFire(tools: Tools, traced: TracedAttempt, claimedAt: number): FireTrace | null {
  const { tracer, ids } = tools;
  const { due } = traced;
  const fire = ids.withTraceOf(traced.key, () =>
    tracer.startSpan('fire', { root: true, startTime: due }, ROOT_CONTEXT),
  );
  if (!fire.isRecording()) return null;
  const attributes = attributesOf(traced);
  fire.setAttributes(attributes);
  const within = trace.setSpan(ROOT_CONTEXT, fire);
  tracer.startSpan('claim', { startTime: due, attributes }, within).end(claimedAt);
  return new RunningFire(tools, fire, within, attributes);
}

function attributesOf({ key, tenantId, attempt }: TracedAttempt): Attributes {
  return {
    'scheduler.tenant_id': tenantId,
    'scheduler.schedule_id': key.scheduleId,
    'scheduler.run_id': encodeRunId(key),
    'scheduler.attempt': attempt,
  };
}

/** `fire` from the due instant on, and in it `claim`, `attempt` and `settle`. Ended twice, it stays as it was first. */
class RunningFire implements FireTrace {
  readonly traceparent: string;
  readonly #tools: Tools;
  readonly #fire: Span;
  readonly #within: Context;
  readonly #attributes: Attributes;
  readonly #attempt: Span;
  #settle: Span | null = null;

  constructor(tools: Tools, fire: Span, within: Context, attributes: Attributes) {
    this.#tools = tools;
    this.#fire = fire;
    this.#within = within;
    this.#attributes = attributes;
    this.#attempt = tools.tracer.startSpan(
      'attempt',
      { kind: SpanKind.PRODUCER, startTime: tools.now(), attributes },
      within,
    );
    const { traceId, spanId, traceFlags } = this.#attempt.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  attemptEnded(outcome: Outcome): void {
    const at = this.#tools.now();
    this.#attempt.setAttribute('scheduler.outcome', outcome.attempt);
    if (outcome.httpStatus !== undefined) this.#attempt.setAttribute('http.response.status_code', outcome.httpStatus);
    if (outcome.kind !== 'accepted') this.#attempt.setStatus(failure(outcome.reason));
    this.#attempt.end(at);
    this.#settle ??= this.#tools.tracer.startSpan(
      'settle',
      { startTime: at, attributes: this.#attributes },
      this.#within,
    );
  }

  settled(state: RunState | 'STALE'): void {
    const at = this.#tools.now();
    this.#attempt.end(at);
    this.#settle?.end(at);
    this.#fire.setAttribute('scheduler.state', state);
    if (state === 'DEAD' || state === 'STALE') this.#fire.setStatus(failure(state));
    this.#fire.end(at);
  }
}

function failure(message: string | undefined): { code: SpanStatusCode; message?: string } {
  return { code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) };
}
