import type { Logger } from 'pino';
import type { RunReason, RunState } from '../../domain/entities/run.ts';
import { encodeRunId } from '../../domain/ids.ts';
import type { Journal, RunEnd, RunNamed, ScheduleEvent } from '../../domain/ports/journal.ts';
import { inSeconds, type Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

export interface JournalParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Null while no exporter is configured. */
  readonly tracing: Tracing | null;
  /** Milliseconds of the monotonic clock. */
  readonly monotonic: () => number;
}

/** Lines of one event about single runs written in a second; what is above is counted, and the count is logged. */
const MAX_LINES_PER_SECOND = 50;

/**
 * The journal over pino, Prometheus and OpenTelemetry. Levels: `debug` for what happens all the time (claims, successes),
 * `info` for changes by people and attempts that will be tried again, `warn` for runs that are lost or ownership that
 * passed on, `error` for what is ours to repair. Lines about single runs above `debug` are limited per second.
 */
export function createJournal(parts: JournalParts): Journal {
  const { tracing } = parts;
  return {
    ...engineEvents(parts),
    ...serviceEvents(parts),
    traceFire: (attempt, claimedAt) => tracing?.traceFire(attempt, claimedAt) ?? null,
  };
}

type RunEvents =
  | 'slotsClaimed'
  | 'retriesClaimed'
  | 'claimsRecovered'
  | 'attemptStarted'
  | 'runSettled'
  | 'runPostponed'
  | 'breakerChanged'
  | 'outcomeStale'
  | 'leaseLost';

function engineEvents({ logger, metrics, monotonic }: JournalParts): Pick<Journal, RunEvents> {
  const fired = metrics.slotsClaimed.labels({ fate: 'fired' });
  const skipped = metrics.slotsClaimed.labels({ fate: 'skipped' });
  const countSettled = settledCounter(metrics);
  const limited = new LineLimit(logger, monotonic);
  return {
    slotsClaimed(claim) {
      fired.inc(claim.fired);
      skipped.inc(claim.skipped);
      metrics.claimDuration.observe(inSeconds(claim.tookMs));
      metrics.claimLateness.observe(inSeconds(claim.oldestLateMs));
      logger.debug(claim, 'slots.claimed');
    },
    retriesClaimed(claim) {
      metrics.retriesClaimed.inc(claim.runs);
      logger.debug(claim, 'retries.claimed');
    },
    claimsRecovered(recovery) {
      metrics.claimsRecovered.inc(recovery.claims);
      metrics.runsRecovered.inc(recovery.runs);
      metrics.runsPoisoned.inc(recovery.poisoned);
      logger.warn(recovery, 'claims.recovered');
    },
    attemptStarted(_run, lateMs) {
      metrics.lateness.observe(inSeconds(lateMs));
    },
    runSettled(run, durationMs) {
      countSettled(run.state, run.reason);
      if (durationMs !== null) metrics.attemptDuration.observe(inSeconds(durationMs));
      const level = levelOf(run.state);
      if (!logger.isLevelEnabled(level)) return;
      const fields = (): object => ({ ...named(run), ...ended(run), durationMs });
      if (level === 'debug') logger.debug(fields(), 'run.settled');
      else limited.line(level, 'run.settled', fields);
    },
    runPostponed() {
      metrics.runsPostponed.inc();
    },
    breakerChanged(change) {
      metrics.breakerChanges.inc({ state: change.state });
      limited.line(change.state === 'OPEN' ? 'warn' : 'info', `breaker.${change.state.toLowerCase()}`, () => change);
    },
    outcomeStale(run) {
      metrics.outcomesStale.inc();
      limited.line('warn', 'outcome.stale', () => named(run));
    },
    leaseLost(claimId) {
      metrics.leasesLost.inc();
      logger.warn({ claimId }, 'lease.lost');
    },
  };
}

type ServiceEvents = 'scheduleChanged' | 'watchFound' | 'loopFailed' | 'requestFailed' | 'note';

function serviceEvents({ logger, metrics }: JournalParts): Pick<Journal, ServiceEvents> {
  return {
    scheduleChanged(event: ScheduleEvent, schedule, by) {
      metrics.scheduleChanges.inc({ event });
      logger.info(
        { scheduleId: schedule.id, tenantId: schedule.tenantId, version: schedule.version, by },
        `schedule.${event}`,
      );
    },
    watchFound(finding, { count, before, examples }) {
      metrics.watchFindings.set({ finding }, count);
      if (count === 0 && before > 0) logger.info({ finding }, 'watch.cleared');
      // Once when it is found, and again when it has doubled.
      else if (count > 0 && (before === 0 || count >= before * 2))
        logger.warn({ finding, count, examples }, 'watch.found');
    },
    loopFailed(loop, error) {
      metrics.loopFailures.inc({ loop });
      logger.error({ loop, err: error }, 'loop.failed');
    },
    requestFailed(request, error) {
      metrics.requestFailures.inc({ method: request.method, route: request.route });
      logger.error({ ...request, err: error }, 'request.failed');
    },
    note(event, fields) {
      logger.info(fields, event);
    },
  };
}

function named(run: RunNamed): { readonly runId: string; readonly scheduleId: string; readonly tenantId: string } {
  return { runId: encodeRunId(run.key), scheduleId: run.key.scheduleId, tenantId: run.tenantId };
}

function ended({ state, reason, attempts }: RunEnd): object {
  return { state, reason, attempts: attempts.length };
}

function levelOf(state: RunState): 'debug' | 'info' | 'warn' {
  if (state === 'DEAD') return 'warn';
  return state === 'SUCCEEDED' || state === 'RUNNING' || state === 'PENDING' ? 'debug' : 'info';
}

/** Counts by state and reason with the counter's children kept: looking them up costs more than counting. */
function settledCounter(metrics: Metrics): (state: RunState, reason: RunReason | null) => void {
  const children = new Map<string, { inc(): void }>();
  const succeeded = metrics.runsSettled.labels({ state: 'SUCCEEDED', reason: '' });
  return (state, reason) => {
    if (state === 'SUCCEEDED') return succeeded.inc();
    const name = `${state}/${reason ?? ''}`;
    const child = children.get(name) ?? metrics.runsSettled.labels({ state, reason: reason ?? '' });
    children.set(name, child);
    return child.inc();
  };
}

/** Writes at most so many lines of an event a second, and once a second how many were left out. */
class LineLimit {
  readonly #logger: Logger;
  readonly #monotonic: () => number;
  readonly #written = new Map<string, number>();
  #second = 0;

  constructor(logger: Logger, monotonic: () => number) {
    this.#logger = logger;
    this.#monotonic = monotonic;
  }

  line(level: 'info' | 'warn', event: string, fields: () => object): void {
    const second = Math.floor(this.#monotonic() / 1000);
    if (second !== this.#second) this.#startSecond(second);
    const written = (this.#written.get(event) ?? 0) + 1;
    this.#written.set(event, written);
    if (written <= MAX_LINES_PER_SECOND) this.#logger[level](fields(), event);
  }

  #startSecond(second: number): void {
    for (const [event, written] of this.#written) {
      if (written > MAX_LINES_PER_SECOND)
        this.#logger.warn({ event, lines: written - MAX_LINES_PER_SECOND }, 'lines.suppressed');
    }
    this.#written.clear();
    this.#second = second;
  }
}
