/*
 * What a campaign writes down: what was asked for, what the database holds, what the receivers saw, which faults were made.
 * The checker reads this and nothing else. All instants are epoch milliseconds of this machine's one clock.
 */

export type Overlap = 'SKIP' | 'BUFFER_ONE' | 'BUFFER_ALL' | 'CANCEL_OTHER' | 'ALLOW_ALL';

export type PlannedTrigger =
  | { readonly type: 'INTERVAL'; readonly everySec: number; readonly anchor: number }
  | { readonly type: 'CRON'; readonly cron: string }
  | { readonly type: 'RRULE'; readonly rrule: string; readonly dtstart: number }
  | { readonly type: 'FIXED_DELAY'; readonly delaySec: number }
  | { readonly type: 'ONE_SHOT'; readonly at: number };

/** How a plan's receiver behaves; the same request is always answered the same way. */
export type Temper = 'good' | 'flaky' | 'slow' | 'hostile' | 'gone' | 'refusing';

/** A schedule that a campaign creates. */
export interface Plan {
  /** Its place in the campaign, and its key at the service. */
  readonly index: number;
  readonly tenant: string;
  readonly tz: string;
  readonly trigger: PlannedTrigger;
  readonly target: 'HTTP' | 'EVENT' | 'QUEUE';
  readonly temper: Temper;
  /** Created by its key, at the same time as others of its tenant; else by an Idempotency-Key. */
  readonly isKeyed: boolean;
  /** Its tenant's calendar, whose dates it leaves out. */
  readonly calendar: string | null;
  /** Its trigger is changed now and then. */
  readonly isRetriggered: boolean;
  /** Its receiver goes down with the others that are fickle, long enough for breakers to open. */
  readonly isFickle: boolean;
  readonly overlap: Overlap;
  readonly misfire: { readonly policy: 'SKIP' | 'FIRE_ONCE' | 'FIRE_ALL'; readonly thresholdSec: number };
  readonly jitterSec: number;
  readonly maxAttempts: number;
  readonly timeoutSec: number;
  readonly endAt: number;
}

export type OperationKind =
  | 'create'
  | 'pause'
  | 'resume'
  | 'patch'
  | 'delete'
  | 'trigger'
  | 'skip-next'
  | 'backfill'
  | 'cancel'
  | 'retry'
  | 'calendar';

/** A request to the API: `unknown` when no answer tells whether it was done. */
export interface Operation {
  readonly kind: OperationKind;
  readonly plan: number;
  readonly at: number;
  readonly until: number;
  readonly outcome: 'ok' | 'refused' | 'unknown';
  /** The schedule's version that the answer names. */
  readonly version?: number | undefined;
  /** The mark that a create or patch puts into target and payload. */
  readonly mark?: number | undefined;
  /** The trigger that a patch asks for, where it asks for another. */
  readonly trigger?: PlannedTrigger | undefined;
  /** The run that a trigger made, or that a cancel or retry names. */
  readonly runId?: string | undefined;
  /** Of a change of the calendar that the plan's tenant has: whether it excludes the days of the campaign. */
  readonly isShut?: boolean | undefined;
  /** Of a backfill: both ends inclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface ScheduleRecord {
  readonly id: string;
  readonly plan: number;
  readonly tenant: string;
  readonly state: string;
  readonly createdAt: number;
  readonly deletedAt: number | null;
}

export interface RunRecord {
  /** The run's public id. */
  readonly id: string;
  readonly scheduleId: string;
  readonly tenant: string;
  readonly slot: number;
  readonly space: number;
  readonly version: number;
  readonly state: string;
  readonly reason: string | null;
  readonly cause: string;
  readonly range: { readonly from: number; readonly to: number; readonly count: number | null } | null;
  readonly attempts: readonly RecordedAttempt[];
  readonly due: number;
  readonly endedAt: number | null;
}

export interface RecordedAttempt {
  readonly number: number;
  readonly outcome: string;
  readonly startedAt: number;
  readonly possibleDuplicate?: boolean | undefined;
}

/** Someone took hold of runs: a claim was made, or taken over under the next fence. */
export interface Hold {
  readonly claimId: string;
  readonly owner: string;
  readonly fence: number;
  readonly at: number;
  readonly runIds: readonly string[];
}

/** A row of a run was written. */
export interface RunChange {
  readonly runId: string;
  readonly at: number;
  readonly state: string;
  readonly attempts: number;
  readonly lastAttemptStartedAt: number | null;
}

/** A request as the receiver wrote it down, before it answered. */
export interface Delivery {
  readonly runId: string;
  readonly scheduleId: string;
  readonly slot: number;
  readonly attempt: number;
  readonly plan: number;
  /** The marks in path and body. */
  readonly pathMark: number;
  readonly body: string;
  readonly at: number;
  /** What the receiver meant to answer; `whole` when the answer went out in full and long before the attempt's deadline. */
  readonly status: number;
  readonly whole: boolean;
}

/** A message that the broker keeps. */
export interface Published {
  readonly runId: string;
  readonly at: number;
}

/** `restart`: a node ends in order and is started anew; `start`: a process is not ready yet; `load`: others have the machine. */
export type FaultKind =
  | 'kill'
  | 'kill-all'
  | 'restart'
  | 'stop'
  | 'backends'
  | 'database'
  | 'network'
  | 'broker'
  | 'clock'
  | 'receivers'
  | 'start'
  | 'load';

/** A stretch in which something was broken; `node` is the incarnation concerned, null for all of them. */
export interface Fault {
  readonly kind: FaultKind;
  readonly what: string;
  readonly node: string | null;
  readonly from: number;
  readonly to: number;
}

export interface VersionRecord {
  readonly number: number;
  readonly mark: number;
  /** The dates it excludes are those of the campaign. */
  readonly isShut: boolean;
  readonly until: number | null;
}

/** A node that was told to end and did; null: it had to be killed. */
export interface Stop {
  readonly node: string;
  readonly code: number | null;
  readonly from: number;
  readonly to: number;
}

export interface History {
  readonly plans: readonly Plan[];
  readonly operations: readonly Operation[];
  readonly schedules: readonly ScheduleRecord[];
  readonly runs: readonly RunRecord[];
  readonly holds: readonly Hold[];
  readonly changes: readonly RunChange[];
  /** Which incarnation of which node an owner of claims is. */
  readonly owners: Readonly<Record<string, string>>;
  readonly deliveries: readonly Delivery[];
  readonly published: readonly Published[];
  readonly faults: readonly Fault[];
  /** Mark of the definition that a version of a schedule holds in the database: `<schedule id> <version>` → mark. */
  readonly marks: Readonly<Record<string, number>>;
  /** By schedule: its versions, oldest first, each with the instant from which another counts (null: it is the current one). */
  readonly versions: Readonly<Record<string, readonly VersionRecord[]>>;
  readonly leaseMs: number;
  readonly endedAt: number;
  /** Of the nodes that were told to end, at the end. */
  readonly exitCodes: readonly (number | null)[];
  /** Nodes that were told to end before that. */
  readonly stops: readonly Stop[];
  /** Nodes that ended though nobody ended them. */
  readonly crashes: readonly string[];
  /** What each life of a node said, by its name. */
  readonly logs: Readonly<Record<string, string>>;
}
