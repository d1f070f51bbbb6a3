import type { RetryPolicy } from '../time/backoff.ts';
import type { DaySpans, OnExcluded } from '../time/business-days.ts';
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

/** On which dates slots become no run, or are moved: the dates of the tenant's calendars with these names. */
export interface CalendarPolicy {
  readonly exclude: readonly string[];
  readonly onExcluded: OnExcluded;
}

/** The dates that the named calendars held when the version was made. `revision`: the sum of theirs, which any change of one raises. */
export interface ExcludedDates extends DaySpans {
  readonly revision: number;
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
  readonly calendars: CalendarPolicy | null;
  /** What `calendars` stood for; null with it. */
  readonly excluded: ExcludedDates | null;
  readonly overlapPolicy: OverlapPolicy;
  readonly misfire: MisfirePolicy;
  readonly retry: RetryPolicy;
  readonly timeoutSec: number;
  readonly pauseOnFailures: number | null;
  readonly onCompletion: 'KEEP' | 'DELETE';
}
