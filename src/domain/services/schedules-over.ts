import type { ScheduleOver } from '../ports/engine-store.ts';
import type { Journal } from '../ports/journal.ts';

const BY_ENGINE = 'scheduler';

/** Tells of schedules that a committed transaction ended; `by`: who ended the run that was their last. */
export function reportSchedulesOver(journal: Journal, over: readonly ScheduleOver[], by: string = BY_ENGINE): void {
  for (const schedule of over)
    journal.scheduleChanged(schedule.state === 'COMPLETED' ? 'completed' : 'disabled', schedule, by);
}
