import type { Clock } from '../ports/clock.ts';
import type { ComponentHealth } from '../ports/health.ts';
import type { Journal } from '../ports/journal.ts';
import {
  FINDINGS,
  type Finding,
  type Found,
  type Round,
  type RoundFound,
  type WatchStore,
} from '../ports/watch-store.ts';

/** More are not counted. */
const LIMIT = 1_000;
/** Rows of a long table looked at in one round: a million schedules are seen in under an hour. */
const ROWS = 20_000;
const EXAMPLES = 3;

const WORDS: Readonly<Record<Finding, string>> = {
  overdue_timers: 'overdue timers',
  stuck_schedules: 'active schedules without a next slot or an open run',
  untaken_claims: 'expired claims that nobody took over',
  endless_runs: 'open runs that nobody holds and that wait for nothing',
};

/** The watchmen: they look for what must not be, and say so where an operator looks. They change nothing. */
export class WatchService {
  readonly #store: WatchStore;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #journal: Pick<Journal, 'watchFound' | 'loopFailed'>;
  readonly #patienceMs: number;
  readonly #found = new Map<Finding, Found>();
  readonly #places = new Map<Finding, string | null>();
  #watchesSince: number | null = null;

  /** `patienceMs`: how long an engine may take for what is due, after a death too. */
  constructor(parts: {
    readonly store: WatchStore;
    readonly clock: Pick<Clock, 'monotonic'>;
    readonly journal: Pick<Journal, 'watchFound' | 'loopFailed'>;
    readonly patienceMs: number;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#patienceMs = parts.patienceMs;
  }

  /** One round of all watchmen. One that fails holds up no other, and what it found before stands. */
  async step(): Promise<void> {
    const store = this.#store;
    this.#watchesSince ??= this.#clock.monotonic();
    // What fell due while no engine was there is late, but nobody's fault yet.
    if (this.#clock.monotonic() - this.#watchesSince >= this.#patienceMs) {
      await this.#look('overdue_timers', () => store.overdueTimers(this.#patienceMs, LIMIT));
      await this.#look('untaken_claims', () => store.untakenClaims(this.#patienceMs, LIMIT));
    }
    await this.#look('stuck_schedules', () => this.#round('stuck_schedules', (round) => store.stuckSchedules(round)));
    await this.#look('endless_runs', () => this.#round('endless_runs', (round) => store.endlessRuns(round)));
  }

  /** For people; degraded while anything is found. */
  get health(): ComponentHealth {
    const found = FINDINGS.flatMap((finding) => {
      const count = this.#found.get(finding)?.length ?? 0;
      return count === 0 ? [] : [`${count === LIMIT ? `at least ${count}` : count} ${WORDS[finding]}`];
    });
    return {
      status: found.length === 0 ? 'ok' : 'degraded',
      latencyMs: null,
      detail: found.length === 0 ? null : found.join('; '),
    };
  }

  async #look(finding: Finding, look: () => Promise<Found>): Promise<void> {
    try {
      const found = await look();
      const before = this.#found.get(finding)?.length ?? 0;
      this.#found.set(finding, found);
      this.#journal.watchFound(finding, { count: found.length, before, examples: found.slice(0, EXAMPLES) });
    } catch (error) {
      this.#journal.loopFailed(`watch.${finding}`, error);
    }
  }

  async #round(finding: Finding, look: (round: Round) => Promise<RoundFound>): Promise<Found> {
    const known = this.#found.get(finding) ?? [];
    const { found, after } = await look({ after: this.#places.get(finding) ?? null, known, rows: ROWS });
    this.#places.set(finding, after);
    return found.slice(0, LIMIT);
  }
}
