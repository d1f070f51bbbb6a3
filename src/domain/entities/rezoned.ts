import type { ScheduleVersion } from './schedule-version.ts';
import type { TimerState } from './timer.ts';

/*
 * A pending slot under newer zone data. What the older data said is gone, so its counterpart is the slot that lies nearest:
 * clocks differ by hours, slots of one local time by days. Slots computed from `now` instead would double the one that has
 * just fired where the clock now shows less, and lose the pending one where it shows more.
 */

/** The timer with its slot computed anew; null: it stays as it is. A slot whose new time has passed already fires when it was going to. */
export function rezoned(timer: TimerState, version: ScheduleVersion, now: number): TimerState | null {
  const moves = version.slots?.calendar.moves === true;
  if (version.delayMs !== null || timer.due === Number.POSITIVE_INFINITY) return null;
  if (timer.due <= now || (timer.slot <= now && !moves)) return null;
  const slot = version.slotNearest(timer.slot, moves ? 0 : timer.cursor);
  if (slot === null || !version.isOpenAt(slot, timer.fires)) return null;
  const due = version.dueOf(slot);
  if (slot === timer.slot && due === timer.due) return null;
  if (!moves) return due > now ? { ...timer, slot, due } : null;
  // The order that tells what was handled goes by the clock of a date, and so does the cursor before it: both move with the slot.
  return { ...timer, slot, due: due > now ? due : timer.due, cursor: timer.cursor + (slot - timer.slot) };
}
