import type { SavedSchedule } from '../../domain/ports/schedule-repository.ts';
import type { timers } from '../db/schema.ts';
import { timerRow } from './schedule-rows.ts';

/** What becomes of the hot row of a schedule that is saved. */
export type TimerChange =
  | { readonly kind: 'removed' | 'unchanged' }
  | { readonly kind: 'inserted' | 'moved'; readonly row: typeof timers.$inferInsert }
  | { readonly kind: 'reversioned'; readonly version: number };

export function timerChangeOf({ before, after }: SavedSchedule): TimerChange {
  const isFresh = after.timer !== before.timer;
  if (!after.isActive) return { kind: before.isActive ? 'removed' : 'unchanged' };
  if (!before.isActive) return { kind: 'inserted', row: timerRow(after, isFresh) };
  if (isFresh) return { kind: 'moved', row: movedRow({ before, after }) };
  return isRedefined({ before, after })
    ? { kind: 'reversioned', version: after.state.definitionVersion }
    : { kind: 'unchanged' };
}

export function isRedefined({ before, after }: SavedSchedule): boolean {
  return after.state.definitionVersion !== before.state.definitionVersion;
}

/** Of a timer that was computed anew. A mark to skip the next slot belongs to that slot. */
function movedRow({ before, after }: SavedSchedule): typeof timers.$inferInsert {
  const row = timerRow(after, true);
  const isKept = after.timer.slot === before.timer.slot && before.timer.skipNext === true;
  return { ...row, skipNext: isKept || row.skipNext === true };
}
