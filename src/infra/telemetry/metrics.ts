import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a millisecond to a day: lateness and durations span that. */
const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400,
];
/** The event loop's delay is sampled this often: at the default of 10 ms the sampling itself would be most of the idle cost. */
const LOOP_SAMPLE_MS = 200;

/**
 * Every number the service publishes, in Prometheus' own types and base units. No metric carries a tenant or schedule:
 * their number has no bound.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly scheduleChanges = this.#counter(
    'scheduler_schedule_changes_total',
    'Changes of schedules, by what happened.',
    ['event'],
  );
  readonly slotsClaimed = this.#counter('scheduler_slots_claimed_total', 'Slots claimed, by fate: fired or skipped.', [
    'fate',
  ]);
  readonly claimDuration = this.#histogram(
    'scheduler_claim_duration_seconds',
    'Time that claiming a batch of due slots took.',
  );
  readonly claimLateness = this.#histogram(
    'scheduler_claim_lateness_seconds',
    'How late the oldest slot of a claimed batch was.',
  );
  readonly retriesClaimed = this.#counter(
    'scheduler_retries_claimed_total',
    'Waiting runs claimed: retries, manual, backfilled, redriven.',
  );
  readonly claimsRecovered = this.#counter(
    'scheduler_claims_recovered_total',
    'Claims taken over after their lease ran out.',
  );
  readonly runsRecovered = this.#counter('scheduler_runs_recovered_total', 'Runs of claims that were taken over.');
  readonly runsPoisoned = this.#counter(
    'scheduler_runs_poisoned_total',
    'Runs given up because they ended the process that held them.',
  );
  readonly lateness = this.#histogram(
    'scheduler_fire_lateness_seconds',
    'From the due instant of a run to the start of its first attempt.',
  );
  readonly runsSettled = this.#counter(
    'scheduler_runs_settled_total',
    'Outcomes written, by the state they led to and its reason.',
    ['state', 'reason'],
  );
  readonly attemptDuration = this.#histogram(
    'scheduler_attempt_duration_seconds',
    'From the start of an attempt to its outcome.',
  );
  readonly runsPostponed = this.#counter(
    'scheduler_runs_postponed_total',
    'Runs put off without an attempt because the breaker of their destination was open.',
  );
  readonly breakerChanges = this.#counter(
    'scheduler_breaker_changes_total',
    'Breakers of destinations that opened, let a probe pass, closed.',
    ['state'],
  );
  readonly outcomesStale = this.#counter(
    'scheduler_outcomes_stale_total',
    'Outcomes dropped because the claim had passed to another node.',
  );
  readonly leasesLost = this.#counter(
    'scheduler_leases_lost_total',
    'Claims whose lease could not be renewed in time.',
  );
  readonly watchFindings = new Gauge({
    name: 'scheduler_watch_findings',
    help: 'What must not be and is, by kind, as the last round of the watchmen saw it; 1000 means at least.',
    labelNames: ['finding'],
    registers: [this.registry],
  });
  readonly loopFailures = this.#counter('scheduler_loop_failures_total', 'Turns of a worker loop that failed.', [
    'loop',
  ]);
  readonly requestFailures = this.#counter(
    'scheduler_request_failures_total',
    'Requests that failed for a reason of ours.',
    ['method', 'route'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
  }

  /** A number that is read when the metrics are, such as a queue's length. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  #counter<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: SECONDS, registers: [this.registry] });
  }
}

/** Milliseconds as the seconds that metrics hold; what is no length counts as none. */
export function inSeconds(ms: number): number {
  return ms > 0 && Number.isFinite(ms) ? ms / 1000 : 0;
}
