import type { Slots } from '../entities/calendar-fate.ts';
import type { ComingSlot, ScheduleVersion } from '../entities/schedule-version.ts';
import type { TimerState } from '../entities/timer.ts';

/** Slots that are counted towards `maxFires` before the first one shown. */
const MOST_COUNTED = 100_000;

/** Epoch ms, as in `UpcomingWindow`; at most `count` slots. */
export interface OrderWindow {
  readonly from: number | undefined;
  readonly to: number;
  readonly count: number;
  readonly now: number;
}

/** The slots to come under a calendar, from the timer's on, in the order in which they are due; those that are skipped are left out. */
export function slotsInOrder(
  version: ScheduleVersion,
  { calendar }: Slots,
  timer: TimerState,
  window: OrderWindow,
): { readonly slots: readonly ComingSlot[]; readonly exhausted: boolean } {
  const { from = Number.NEGATIVE_INFINITY, to, count, now } = window;
  const isComing = (slot: number): boolean =>
    window.from === undefined ? Math.max(slot, calendar.placeOf(slot)) > now : slot > from;
  const pending = calendar.isSkipped(timer.slot) ? calendar.nextFired(timer.slot, timer.cursor) : timer.slot;
  const later = from > timer.slot ? calendar.firstFired(from) : pending;
  if (pending === null || later === null) return { slots: [], exhausted: true };
  const isLater = calendar.handledBelow(later) > calendar.handledBelow(pending);
  const floor = isLater ? from : timer.cursor;
  let fires = timer.fires + (isLater ? firedBefore(version, { calendar, timer, pending }, later) : 0);
  let slot: number | null = isLater ? later : pending;
  if (!isLater && timer.skipNext === true) slot = calendar.nextFired(pending, floor);
  const slots: ComingSlot[] = [];
  for (; ; slot = calendar.nextFired(slot, floor)) {
    if (slot === null || version.isSpent(fires)) return { slots, exhausted: true };
    if (slots.length >= count || calendar.handledBelow(slot) >= to) return { slots, exhausted: false };
    const coming = slot <= to && isComing(slot) ? version.upcomingAfter(slot - 1) : null;
    if (coming !== null) slots.push(coming);
    fires += 1;
  }
}

/** How many slots fire before `later`; zero without `maxFires`, where nobody counts. */
function firedBefore(
  { definition }: ScheduleVersion,
  { calendar, timer, pending }: Pick<Slots, 'calendar'> & { readonly timer: TimerState; readonly pending: number },
  later: number,
): number {
  if (definition.maxFires === null) return 0;
  let count = 0;
  const end = calendar.handledBelow(later);
  for (let slot: number | null = pending; slot !== null && slot <= end && count < MOST_COUNTED; count += 1)
    slot = calendar.nextFired(slot, timer.cursor);
  return count;
}
