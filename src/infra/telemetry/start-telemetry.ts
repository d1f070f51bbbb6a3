import { setTimeout as after } from 'node:timers/promises';
import type { DestinationStream, Logger } from 'pino';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { createJournal } from './journal.ts';
import { createLogger, type LogLevel } from './logger.ts';
import { Metrics } from './metrics.ts';
import { startTracing } from './tracing.ts';

export interface TelemetryConfig {
  readonly logLevel: LogLevel;
  readonly pretty?: boolean | undefined;
  /** Where log lines go instead of stdout. */
  readonly destination?: DestinationStream | undefined;
  readonly serviceName: string;
  /** True when OTEL_EXPORTER_OTLP_ENDPOINT is set; the SDK reads it and the other OTEL_* variables itself. */
  readonly tracing: boolean;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

export interface Telemetry {
  readonly journal: Journal;
  readonly logger: Logger;
  /** In Prometheus' text format 0.0.4. */
  metricsText(): Promise<string>;
  /** A number that is read when the metrics are, such as `scheduler_deliveries_in_flight`. */
  gauge(name: string, help: string, read: () => number): void;
  /** Sends buffered spans, for at most five seconds; never rejects. The journal still takes lines and counts afterwards. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_MS = 5_000;

/** Logs, metrics and, where an exporter is configured, traces of this process. */
export async function startTelemetry(config: TelemetryConfig): Promise<Telemetry> {
  const { clock } = config;
  const logger = createLogger({ level: config.logLevel, pretty: config.pretty, destination: config.destination });
  const metrics = new Metrics();
  const tracing = config.tracing ? await startTracing(config.serviceName, () => clock.now()) : null;
  return {
    journal: createJournal({ logger, metrics, tracing, monotonic: () => clock.monotonic() }),
    logger,
    metricsText: () => metrics.registry.metrics(),
    gauge: (name, help, read) => metrics.gauge(name, help, read),
    shutdown: async () => {
      if (tracing === null) return;
      const ended = tracing.shutdown().catch((error: unknown) => logger.warn({ err: error }, 'traces.lost'));
      await Promise.race([ended, after(SHUTDOWN_MS, undefined, { ref: false })]);
    },
  };
}
