import type { RetryPolicy } from '../time/backoff.ts';
import type { DstPolicy, Trigger } from '../time/trigger.ts';
import type { JsonValue } from './json.ts';
import type { Target } from './target.ts';

/** What becomes of a slot whose schedule's run before it is still open. */
export type OverlapPolicy = 'SKIP' | 'BUFFER_ONE' | 'BUFFER_ALL' | 'CANCEL_OTHER' | 'ALLOW_ALL';

/** What becomes of slots that nobody claimed within `thresholdSec` of their due time. */
export interface MisfirePolicy {
  readonly policy: 'SKIP' | 'FIRE_ONCE' | 'FIRE_ALL';
  readonly thresholdSec: number;
  readonly windowSec: number;
}

/** What one version of a schedule fixes: a run keeps the version it was created under, over every retry. */
export interface ScheduleDefinition {
  readonly tz: string;
  readonly trigger: Trigger;
  readonly target: Target;
  readonly payload: JsonValue;
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly maxFires: number | null;
  /** ISO 8601 duration; spreads due times, never moves a slot. */
  readonly jitter: string | null;
  readonly dst: DstPolicy;
  readonly overlapPolicy: OverlapPolicy;
  readonly misfire: MisfirePolicy;
  readonly retry: RetryPolicy;
  readonly timeoutSec: number;
  readonly pauseOnFailures: number | null;
  readonly onCompletion: 'KEEP' | 'DELETE';
}
