import type { JsonValue } from '../entities/json.ts';
import type { Attempt, RunCause, RunReason, RunState } from '../entities/run.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import type { FireDecision, PreviousRun, TimerState } from '../entities/timer.ts';
import type { RunKey, ScheduleId, TenantId } from '../ids.ts';
import type { Lane } from './run-repository.ts';

/** The lease that covers a batch of runs: whoever holds the fence may deliver and settle them. */
export interface Lease {
  readonly claimId: string;
  readonly fence: number;
  /** Deaths that the claim's owners died so far. */
  readonly recoveries: number;
}

/** Who claims and for how long. */
export interface Claimant {
  readonly owner: string;
  readonly claimId: string;
  readonly leaseMs: number;
}

/** How many due slots may be claimed: live ones, and late ones beside them. */
export interface DueRoom {
  readonly live: number;
  readonly late: number;
  /** Tenants of which none are to be claimed. */
  readonly excluded: readonly TenantId[];
}

/** How many waiting runs may be claimed of each lane. */
export interface WaitingRoom {
  readonly lanes: Readonly<Record<Lane, number>>;
  readonly excluded: readonly TenantId[];
}

/** A due timer with what decides its fate. `version` is null where its definition no longer compiles; `problem` says why. */
export interface DueSlot {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly timer: TimerState;
  readonly version: ScheduleVersion | null;
  readonly problem: string | null;
  readonly previous: PreviousRun;
}

/** A schedule that a transaction of the engine ended, at the version it has now. */
export interface ScheduleOver {
  readonly id: ScheduleId;
  readonly tenantId: TenantId;
  readonly version: number;
  readonly state: 'COMPLETED' | 'DISABLED';
}

/** What one claim transaction committed. All instants are the database's, epoch ms. */
export interface FiredBatch {
  /** Asked for as `now` at the transaction's start, or at its end when nothing was due. */
  readonly now: number;
  readonly due: readonly DueSlot[];
  /** Aligned with `due`. */
  readonly decisions: readonly FireDecision[];
  /** The earliest due time after the transaction's start, else Infinity. */
  readonly nextDue: number;
  /** Live slots are left: over the limit, left out, or held by another claimer. */
  readonly isBehind: boolean;
  /** As many live ones as there was room for. */
  readonly isFull: boolean;
  /** How many of `due` are late. */
  readonly late: number;
  /** Late ones are left for which there was no room. */
  readonly isLateLeft: boolean;
  readonly over: readonly ScheduleOver[];
}

/** A run that waited (a retry, manual, buffered, backfilled or recovered run) and is claimed for its next attempt. */
export interface ClaimedRun {
  readonly key: RunKey;
  readonly version: ScheduleVersion;
  readonly cause: RunCause;
  readonly attempts: readonly Attempt[];
  readonly payload: JsonValue | null;
  readonly due: number;
  readonly startedAt: number | null;
  /** For a slot that this very claim has fired: its place among the claim's runs. Null: it may have a row. */
  readonly freshAt: number | null;
}

export interface ClaimedRuns {
  readonly now: number;
  readonly runs: readonly ClaimedRun[];
  readonly nextDue: number;
  readonly isBehind: boolean;
}

/** What became of outcomes. `nextDue`: when an end made something due, epoch ms, else Infinity. */
export interface SettledRuns {
  readonly stale: readonly RunKey[];
  readonly nextDue: number;
  readonly over: readonly ScheduleOver[];
}

/** What one attempt made of a run, with the lease that covers it. Instants are epoch ms. */
export interface SettledRun {
  readonly key: RunKey;
  readonly lease: Lease;
  readonly tenantId: TenantId;
  readonly version: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly cause: RunCause;
  readonly attempts: readonly Attempt[];
  readonly payload: JsonValue | null;
  readonly due: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly retryAt: number | null;
  /** Its place among the runs of its claim while only somebody who ended it meanwhile can have written a row. Null: it may have one. */
  readonly freshAt: number | null;
  /** Where it waits until then. */
  readonly lane: Lane;
  /** The end of this run may move its schedule: see `ScheduleVersion.endOfRunMatters`. */
  readonly endMatters: boolean;
}

export interface RecoveredClaim {
  readonly lease: Lease;
  readonly runs: readonly ClaimedRun[];
}

/**
 * `poisoned`: how many runs ended because they are not to be tried again; `nextInMs`: until the lease of a claim that somebody else
 * holds ends, unless it is renewed, as far as it was seen.
 */
export interface RecoveredClaims {
  readonly claims: readonly RecoveredClaim[];
  readonly poisoned: number;
  readonly isMoreLeft: boolean;
  readonly nextInMs: number;
  readonly over: readonly ScheduleOver[];
}

/** The engine's statements, across all tenants. Each method is one transaction. */
export interface EngineStore {
  /** Claims due timers, live before late ones, lets `decide` choose each one's fate, writes timers, claim and skip records; after it the slots exist. */
  fireDue(
    room: DueRoom,
    claimant: Claimant,
    decide: (due: readonly DueSlot[], now: number) => readonly FireDecision[],
  ): Promise<FiredBatch>;
  /** Claims waiting runs whose time has come. Runs of deleted schedules end as CANCELLED instead. */
  claimWaiting(room: WaitingRoom, claimant: Claimant): Promise<ClaimedRuns>;
  /** Writes outcomes, and deletes the claims in `closed`, each guarded by its lease's fence. */
  settle(settled: readonly SettledRun[], closed: readonly Lease[]): Promise<SettledRuns>;
  /** RUNNING rows for runs in flight that have none, and the start of those that have one without. */
  showRunning(settled: readonly SettledRun[]): Promise<void>;
  /** Prolongs leases; answers the ids of the claims still held with their fence. */
  renew(leases: readonly Lease[], leaseMs: number): Promise<ReadonlySet<string>>;
  /** Which of these runs somebody else has ended (cancelled) meanwhile. */
  endedElsewhere(keys: readonly RunKey[]): Promise<readonly RunKey[]>;
  /**
   * Takes over claims whose lease has expired, at least one and no more than `room` runs' worth of others: next fence, open
   * runs only; from the second death on each run alone. Not those in `held`, which their holder renews when it can.
   */
  recover(
    claimant: Claimant,
    request: { readonly room: number; readonly held: readonly string[]; readonly newId: () => string },
  ): Promise<RecoveredClaims>;
}
