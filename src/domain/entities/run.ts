import { manualSpace, type RunKey, type ScheduleId, SLOT_SPACE, type TenantId } from '../ids.ts';
import type { RetryPolicy } from '../time/backoff.ts';
import { backoffMs } from '../time/backoff.ts';
import { textOfInstants } from '../time/instant.ts';
import type { JsonValue } from './json.ts';

export type RunState = 'PENDING' | 'RUNNING' | 'RETRYING' | 'SUCCEEDED' | 'CANCELLED' | 'SKIPPED' | 'DEAD';
export type RunCause = 'SCHEDULE' | 'CATCH_UP' | 'MANUAL' | 'BACKFILL' | 'WORKFLOW';
/** Why a run ended otherwise than by success; BREAKER: why it waits, as its destination does not answer. */
export type RunReason =
  | 'OVERLAP'
  | 'MISFIRE'
  | 'CALENDAR'
  | 'QUOTA'
  | 'PAUSED'
  | 'BY_USER'
  | 'DELETED'
  | 'EXHAUSTED'
  | 'REFUSED'
  | 'GONE'
  | 'MAX_AGE'
  | 'EGRESS'
  | 'POISON'
  | 'BREAKER';

/** States that a run leaves again; the others are final. */
export const OPEN_STATES: readonly RunState[] = ['PENDING', 'RUNNING', 'RETRYING'];

/** One try at delivering a run. Instants are RFC 3339, as the JSON column and the response hold them. */
export interface Attempt {
  readonly number: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: AttemptOutcome;
  readonly httpStatus?: number | undefined;
  readonly error?: string | undefined;
  readonly responseSnippet?: string | undefined;
  /** The run was dead after it: what follows belongs to a redrive, with a budget of its own. */
  readonly final?: boolean | undefined;
  /** The request may have reached the target although no answer came. */
  readonly possibleDuplicate?: boolean | undefined;
}

export type AttemptOutcome =
  | 'ACCEPTED'
  | 'HTTP_STATUS'
  | 'TIMEOUT'
  | 'NETWORK'
  | 'EGRESS_DENIED'
  | 'REFUSED'
  | 'FAILED'
  | 'ABORTED';

interface Answer {
  readonly attempt: AttemptOutcome;
  readonly httpStatus?: number | undefined;
  readonly reason?: string | undefined;
  readonly responseSnippet?: string | undefined;
  readonly possibleDuplicate?: boolean | undefined;
}

/** What a sender says of one attempt. `aborted`: stopped by us (shutdown, lost lease, cancel); it uses no attempt. */
export type Outcome =
  | (Answer & { readonly kind: 'accepted' })
  | (Answer & { readonly kind: 'refused'; readonly why: 'REFUSED' | 'GONE' | 'EGRESS' })
  | (Answer & { readonly kind: 'unanswered'; readonly retryAfterMs?: number | undefined })
  | (Answer & { readonly kind: 'aborted'; readonly retryAfterMs?: number | undefined });

/** A run as the `runs` row holds it, and a superset of the response. */
export interface RunRow extends RunKey {
  readonly tenantId: TenantId;
  readonly version: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly cause: RunCause;
  readonly range: { readonly from: string; readonly to: string; readonly count: number | null } | null;
  readonly attempts: readonly Attempt[];
  readonly payload: JsonValue | undefined;
  readonly due: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly nextAttemptAt: Date | null;
}

/** The schedule that a run belongs to, at the version the run keeps. */
export interface RunOrigin {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly version: number;
}

/** A run that a person asks for at `now` (epoch ms), beside the slots; `random` in [0, 1) tells it from others of the same instant. */
export function manualRun(of: RunOrigin, now: number, payload: JsonValue | undefined, random: number): RunRow {
  return { ...unstarted(of, now), space: manualSpace(random), state: 'PENDING', cause: 'MANUAL', payload };
}

/** A slot that is being delivered and has no row yet. */
export function liveRun(of: RunOrigin, slot: number): RunRow {
  return { ...unstarted(of, slot), space: SLOT_SPACE, state: 'RUNNING', cause: 'SCHEDULE', payload: undefined };
}

function unstarted(
  { scheduleId, tenantId, version }: RunOrigin,
  slot: number,
): Omit<RunRow, 'space' | 'state' | 'cause' | 'payload'> {
  const none = {
    reason: null,
    range: null,
    attempts: [],
    startedAt: null,
    endedAt: null,
    nextAttemptAt: null,
  } as const;
  return { scheduleId, tenantId, version, slot, due: new Date(slot), ...none };
}

/** What an attempt made of its run; `retryAt` (epoch ms) only with RETRYING. */
export interface Settlement {
  readonly state: 'SUCCEEDED' | 'RETRYING' | 'DEAD';
  readonly reason: RunReason | null;
  readonly attempts: readonly Attempt[];
  readonly retryAt: number | null;
}

/** The attempt that just ended: times are epoch ms by the database's clock, `firstDue` is when the run was first due. */
export interface EndedAttempt {
  readonly before: readonly Attempt[];
  readonly startedAt: number;
  readonly endedAt: number;
  readonly firstDue: number;
  readonly outcome: Outcome;
}

/** The state after an attempt under `policy`; `random` in [0, 1) spreads the delay. */
export function settleAttempt(policy: RetryPolicy, ended: EndedAttempt, random: number): Settlement {
  const { outcome } = ended;
  const attempts = attemptsAfter(ended);
  switch (outcome.kind) {
    case 'accepted':
      return { state: 'SUCCEEDED', reason: null, attempts, retryAt: null };
    case 'refused':
      return dead(outcome.why, attempts);
    case 'aborted': {
      const { since } = budgetOf(ended);
      const retryAt = ended.endedAt + (outcome.retryAfterMs ?? 0);
      if (retryAt - since > policy.maxAgeSec * 1000) return dead('MAX_AGE', attempts);
      return { state: 'RETRYING', reason: null, attempts, retryAt };
    }
    case 'unanswered': {
      const { used, since } = budgetOf(ended);
      if (used >= policy.maxAttempts) return dead('EXHAUSTED', attempts);
      const retryAt = ended.endedAt + backoffMs(policy, used, random, outcome.retryAfterMs);
      if (retryAt - since > policy.maxAgeSec * 1000) return dead('MAX_AGE', attempts);
      return { state: 'RETRYING', reason: null, attempts, retryAt };
    }
  }
}

/** What the latest first attempt left. */
let latest: Pick<EndedAttempt, 'startedAt' | 'endedAt' | 'outcome'> & { readonly attempts: readonly Attempt[] } = {
  startedAt: Number.NaN,
  endedAt: Number.NaN,
  outcome: { kind: 'accepted', attempt: 'ACCEPTED' },
  attempts: [],
};

/** Runs of a burst share their attempts where each had one, with the same end at the same time: kept till they are settled, they cost as much as the rest. */
function attemptsAfter(ended: EndedAttempt): readonly Attempt[] {
  const { before, startedAt, endedAt, outcome } = ended;
  if (before.length > 0) return [...before, endedAttempt(ended)];
  if (latest.startedAt !== startedAt || latest.endedAt !== endedAt || latest.outcome !== outcome)
    latest = { startedAt, endedAt, outcome, attempts: [endedAttempt(ended)] };
  return latest.attempts;
}

/** The run's end without success; what follows its last attempt belongs to a redrive. */
export function dead(reason: RunReason, attempts: readonly Attempt[]): Settlement {
  const last = attempts.at(-1);
  const marked = last === undefined ? attempts : [...attempts.slice(0, -1), { ...last, final: true }];
  return { state: 'DEAD', reason, attempts: marked, retryAt: null };
}

/** Attempts used and the instant the run's age counts from: since it was first due, or since it was last redriven. */
export function budgetOf({ before, startedAt, firstDue }: EndedAttempt): {
  readonly used: number;
  readonly since: number;
} {
  const end = before.findLastIndex((attempt) => attempt.final === true);
  const used = attemptNumberAfter(before) - (before[end]?.number ?? 0);
  if (end === -1) return { used, since: firstDue };
  const first = before[end + 1];
  return { used, since: first === undefined ? startedAt : Date.parse(first.startedAt) };
}

/** The number of the attempt that follows these: one that was aborted used none. */
export function attemptNumberAfter(attempts: readonly Attempt[]): number {
  const last = attempts.at(-1);
  if (last === undefined) return 1;
  return last.outcome === 'ABORTED' ? last.number : last.number + 1;
}

/** At most this many attempts are kept on a run: the first and the latest. */
const KEPT_ATTEMPTS = 50;

/** Of so many of the latest, what the target answered is kept: up to 4 kB each, and a thousand runs are settled at once. */
const KEPT_ANSWERS = 3;

/** The list without its middle, and without what early attempts were answered, so that no run's record grows without bound. */
export function boundedAttempts(attempts: readonly Attempt[]): readonly Attempt[] {
  const [first] = attempts;
  if (first === undefined || attempts.length <= KEPT_ANSWERS) return attempts;
  const latest = attempts.length - KEPT_ATTEMPTS + 1;
  const kept = latest <= 1 ? attempts : [first, ...attempts.slice(latest)];
  const answered = kept.length - KEPT_ANSWERS;
  return kept.map((attempt, index) => (index < answered ? withoutAnswer(attempt) : attempt));
}

function withoutAnswer({ responseSnippet, ...attempt }: Attempt): Attempt {
  return attempt;
}

/** The attempt as it is recorded. Nearly all have no details. */
export function endedAttempt(ended: EndedAttempt): Attempt {
  const { outcome, before } = ended;
  const number = attemptNumberAfter(before);
  const attempt = {
    number,
    startedAt: startText(ended.startedAt),
    endedAt: endText(ended.endedAt),
    outcome: outcome.attempt,
  };
  const { httpStatus, reason, responseSnippet, possibleDuplicate } = outcome;
  const isBare = httpStatus === undefined && reason === undefined && responseSnippet === undefined;
  if (isBare && possibleDuplicate !== true) return attempt;
  return {
    ...attempt,
    ...(httpStatus !== undefined && { httpStatus }),
    ...(reason !== undefined && { error: reason }),
    ...(responseSnippet !== undefined && { responseSnippet }),
    ...(possibleDuplicate === true && { possibleDuplicate: true }),
  };
}

/** RFC 3339; the starts of a burst of attempts are often the same millisecond, and so are their ends. */
const startText = textOfInstants();
const endText = textOfInstants();
