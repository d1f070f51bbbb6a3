import type { JsonValue } from '../entities/json.ts';
import type { Outcome, RunCause } from '../entities/run.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import type { Target, TargetKind } from '../entities/target.ts';
import type { RunId, RunKey, TenantId } from '../ids.ts';
import type { FireTrace } from './journal.ts';

/** One attempt at a run, as a sender gets it. Instants are epoch ms. */
export interface Delivery {
  readonly key: RunKey;
  readonly runId: RunId;
  readonly tenantId: TenantId;
  readonly version: ScheduleVersion;
  readonly cause: RunCause;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly due: number;
  /** The run's own payload, else the version's. */
  readonly payload: JsonValue;
  /** Null while nobody collects traces. */
  readonly trace: FireTrace | null;
  /** For a sender that passes the attempt on: it began just now (monotonic), and its deadline counts from there. */
  began(monotonic: number): void;
  /** `tell` is called once the outcome has been written, or is void. */
  whenSettled(tell: () => void): void;
}

export type StopListener = (() => void) | { handleEvent(): void };

/** What ends an attempt: an AbortSignal is one. `reason` is that of the abort. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** The listener is called once, not at all where the signal has aborted before. */
  addEventListener(type: 'abort', listener: StopListener, options: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: StopListener): void;
}

/**
 * Delivers to one kind of target. Never throws: whatever the world does is an {@link Outcome}, at once where nothing was waited
 * for; `signal` ends the attempt.
 */
export interface Sender {
  /** What passing the attempt on may cost beside its own time, ms; left out: nothing. */
  graceMs?(delivery: Delivery): number;
  send(delivery: Delivery, signal: StopSignal): Outcome | Promise<Outcome>;
}

/** The sender of each kind of target this deployment has, and what it can say about a target before any delivery. */
export interface Senders {
  of(kind: TargetKind): Sender;
  /** Throws TARGET_NOT_ALLOWED where a delivery to `target` could never be made from this deployment. */
  check(target: Target): void;
}
