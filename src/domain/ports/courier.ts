import type { JsonValue } from '../entities/json.ts';
import type { Outcome, RunCause } from '../entities/run.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import type { RunKey, ScheduleId } from '../ids.ts';

/** An attempt that an engine passes on: names what is to be delivered, holds neither target nor secret. Instants are epoch ms. */
export interface Parcel {
  readonly key: RunKey;
  readonly version: number;
  readonly cause: RunCause;
  readonly attempt: number;
  readonly due: number;
  /** The run's own; left out: the version's. */
  readonly payload?: JsonValue | undefined;
  /** Of the engine's span; null while nobody collects traces. */
  readonly traceparent: string | null;
}

/** Makes the attempt. Never rejects; `signal` ends it when the engine no longer wants it, or the process ends. */
export type DeliverParcel = (parcel: Parcel, signal: AbortSignal) => Promise<Outcome>;

/** Where workers get parcels, and engines get outcomes. */
export interface Post {
  /** Parcels taken and not yet done with. */
  readonly open: number;
  /** Waits a few seconds for as many parcels as there are places for; each is delivered while this goes on. */
  take(deliver: DeliverParcel, signal: AbortSignal): Promise<void>;
  /** Ends all attempts; their outcomes are still handed over. */
  abortAll(): void;
}

/** Definitions that workers deliver by. Rejects while they cannot be read; null: there is none that compiles. */
export interface VersionSource {
  of(scheduleId: ScheduleId, version: number): Promise<ScheduleVersion | null>;
}
