import { compileTrigger, nextSlot, normaliseTrigger } from '../time/compile.ts';
import type { Trigger } from '../time/trigger.ts';
import { sameJson } from './json.ts';

/** Two moments whose default anchors differ in every kind of trigger. */
const MOMENTS = [Date.UTC(2000, 0, 3), Date.UTC(2001, 6, 17, 1, 2, 3)] as const;

/**
 * True when `given` asks for the trigger that is `stored`. An anchor that `given` leaves to the moment of creation (RRULE
 * without DTSTART, INTERVAL without anchor) is the stored one, so that the same request twice changes nothing.
 */
export function isSameTrigger(given: Trigger, stored: Trigger, tz: string): boolean {
  if (sameJson(given, stored)) return true;
  if (given.type !== stored.type) return false;
  const early = normaliseTrigger(given, tz, MOMENTS[0]);
  const late = normaliseTrigger(given, tz, MOMENTS[1]);
  return sameJson(sameJson(early, late) && early.type !== 'ONE_SHOT' ? early : anchoredAs(stored, early, tz), stored);
}

function anchoredAs(stored: Trigger, given: Trigger, tz: string): Trigger {
  if (given.type === 'RRULE' && stored.type === 'RRULE') return { ...given, dtstart: stored.dtstart };
  if (given.type === 'INTERVAL' && stored.type === 'INTERVAL') return { ...given, anchor: stored.anchor };
  // Local times were once stored as the instants they stood for.
  if (given.type === 'ONE_SHOT' && stored.type === 'ONE_SHOT' && onceAt(given, tz) === onceAt(stored, tz))
    return stored;
  return given;
}

function onceAt(trigger: Trigger, tz: string): number | null {
  return nextSlot(compileTrigger(trigger, { tz }), Number.NEGATIVE_INFINITY);
}
