import { type FireDecision, startsNow } from '../entities/timer.ts';
import { SLOT_SPACE } from '../ids.ts';
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
  const runs: ClaimedRun[] = [];
  let freshAt = 0;
  batch.decisions.forEach(({ fired }, index) => {
    if (!startsNow(fired)) return;
    const at = freshAt++;
    const version = batch.due[index]?.version;
    if (version === undefined || version === null) return;
    const key = { scheduleId: version.scheduleId, slot: fired.slot, space: SLOT_SPACE };
    const { due, cause } = fired;
    runs.push({ key, version, cause, attempts: NO_ATTEMPTS, payload: null, due, startedAt: null, freshAt: at });
  });
  return runs;
}

const NO_ATTEMPTS: ClaimedRun['attempts'] = [];
