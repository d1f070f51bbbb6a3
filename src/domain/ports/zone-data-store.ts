import type { ScheduleVersion } from '../entities/schedule-version.ts';
import type { TimerState } from '../entities/timer.ts';
import type { ScheduleId } from '../ids.ts';

/** Which zone data slots were computed with, across tenants and nodes. */
export interface ZoneDataStore {
  /** The newest version among engines heard of in the last 30 s; null when none tells. */
  newestOfLiveNodes(): Promise<string | null>;
  /**
   * Goes through at most `limit` timers after `after`, in id order, and gives those whose slot was computed with other zone
   * data than `version` the timer that `recompute` answers (null: as it was). Answers where to go on, null at the end, and
   * how many slots moved.
   */
  retime(
    chunk: { readonly version: string; readonly after: ScheduleId | null; readonly limit: number },
    recompute: (timer: TimerState, version: ScheduleVersion, now: number) => TimerState | null,
  ): Promise<{ readonly last: ScheduleId | null; readonly moved: number }>;
}
