import type { BreakerState } from '../entities/circuit-breaker.ts';
import type { Outcome, RunReason, RunState } from '../entities/run.ts';
import type { RunKey, ScheduleId, TenantId } from '../ids.ts';
import type { Finding } from './watch-store.ts';

/** The trace of one attempt at a run: a span for the fire, children for claim, attempt and settle. */
export interface FireTrace {
  /** W3C header of the attempt's span, for the target. */
  readonly traceparent: string;
  attemptEnded(outcome: Outcome): void;
  settled(state: RunState | 'STALE'): void;
}

/** A run as log lines, metrics and spans name it. */
export interface RunNamed {
  readonly key: RunKey;
  readonly tenantId: TenantId;
}

/** What has become of a run, by so many attempts. */
export interface RunEnd {
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly attempts: { readonly length: number };
}

/** One method per business event: a log line, a metric, a span. Cheap, never throws; payloads and secrets never pass here. */
export interface Journal {
  scheduleChanged(
    event: ScheduleEvent,
    schedule: { readonly id: ScheduleId; readonly tenantId: TenantId; readonly version: number },
    by: string,
  ): void;
  /** A claim was committed; `oldestLateMs` is how late its oldest slot was. */
  slotsClaimed(claim: {
    readonly claimId: string;
    readonly fired: number;
    readonly skipped: number;
    readonly oldestLateMs: number;
    readonly tookMs: number;
  }): void;
  retriesClaimed(claim: { readonly claimId: string; readonly runs: number }): void;
  claimsRecovered(recovery: { readonly claims: number; readonly runs: number; readonly poisoned: number }): void;
  /** Null while no exporter is configured. `claimedAt` and `due` are epoch ms. */
  traceFire(
    attempt: RunNamed & { readonly due: number; readonly attempt: number },
    claimedAt: number,
  ): FireTrace | null;
  attemptStarted(run: RunNamed, lateMs: number): void;
  /** `durationMs`: of the attempt that ended; null where none was made. */
  runSettled(run: RunNamed & RunEnd, durationMs: number | null): void;
  /** A run was put off without an attempt, as its destination's breaker is open. */
  runPostponed(): void;
  /** `openMs`: for how long it stays open now; null in the other states. */
  breakerChanged(change: {
    readonly tenantId: TenantId;
    readonly origin: string;
    readonly state: BreakerState;
    readonly openMs: number | null;
  }): void;
  outcomeStale(run: RunNamed): void;
  leaseLost(claimId: string): void;
  /** A watchman has looked; `before`: how many it had found the last time, `examples`: ids of some. Told when it changes. */
  watchFound(
    finding: Finding,
    seen: { readonly count: number; readonly before: number; readonly examples: readonly string[] },
  ): void;
  /** A turn of a loop failed; it goes on. */
  loopFailed(loop: string, error: unknown): void;
  requestFailed(
    request: { readonly method: string; readonly route: string; readonly traceId: string },
    error: unknown,
  ): void;
  /** Something an operator should see once: started, listening, draining, stopped, degraded. */
  note(event: string, fields: Readonly<Record<string, string | number | boolean>>): void;
}

export type ScheduleEvent =
  | 'created'
  | 'replaced'
  | 'patched'
  | 'paused'
  | 'resumed'
  | 'deleted'
  | 'triggered'
  | 'backfilled'
  | 'skip_marked'
  | 'completed'
  | 'disabled';
