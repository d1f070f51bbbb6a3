import type { TenantId } from '../ids.ts';
import type { DueSlotRules } from './due-slot.ts';
import { skippedInstead } from './due-slot.ts';
import type { FireDecision, PreviousRun, TimerState } from './timer.ts';

/** A due slot of a batch, and what was decided about it. */
export interface DecidedSlot {
  readonly tenantId: TenantId;
  readonly timer: TimerState;
  readonly version: DueSlotRules | null;
  readonly previous: PreviousRun;
  readonly decision: FireDecision;
}

/** How many slots of each tenant a batch would make runs of. */
export function askedOf(slots: readonly DecidedSlot[]): ReadonlyMap<TenantId, number> {
  const asked = new Map<TenantId, number>();
  for (const { tenantId, decision } of slots)
    if (decision.fired !== null) asked.set(tenantId, (asked.get(tenantId) ?? 0) + 1);
  return asked;
}

/** The decisions, in which the slots of a tenant beyond what it was `granted` become no run: SKIPPED with reason QUOTA. The first ones fire. */
export function withinGrants(
  slots: readonly DecidedSlot[],
  granted: ReadonlyMap<TenantId, number>,
): readonly FireDecision[] {
  const left = new Map(granted);
  return slots.map(({ tenantId, timer, version, previous, decision }) => {
    const room = left.get(tenantId);
    if (decision.fired === null || room === undefined || version === null) return decision;
    left.set(tenantId, room - 1);
    return room > 0 ? decision : skippedInstead(version, timer, { decision, reason: 'QUOTA' }, previous);
  });
}
