import type { FireDecision } from '../entities/timer.ts';
import type { ClaimedRun, DueSlot, FiredBatch } from '../ports/engine-store.ts';

/** What becomes of each due slot, at the database's time. */
export function decideAll(due: readonly DueSlot[], now: number): readonly FireDecision[] {
  return due.map((slot) => decide(slot, now));
}

/** A definition that fails at its slot disables its schedule, never the loop. */
function decide(slot: DueSlot, now: number): FireDecision {
  if (slot.version === null)
    return { fired: null, skipped: null, next: { disabled: slot.problem ?? 'it has no definition' } };
  try {
    return slot.version.fire(slot.timer, now, slot.previous);
  } catch (error) {
    return { fired: null, skipped: null, next: { disabled: error instanceof Error ? error.message : String(error) } };
  }
}

/** The runs that start now: those of slots that are neither skipped nor buffered. */
export function firedRuns(batch: FiredBatch): readonly ClaimedRun[] {
  return batch.decisions.flatMap((decision, index): ClaimedRun[] => {
    const version = batch.due[index]?.version;
    if (decision.fired === null || decision.fired.start === 'BUFFER' || version === undefined || version === null)
      return [];
    const { slot, due, cause } = decision.fired;
    const key = { scheduleId: version.scheduleId, slot, space: 0 };
    return [{ key, version, cause, attempts: [], payload: null, due, startedAt: null, hasRow: false }];
  });
}
