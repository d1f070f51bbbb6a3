import { expect, it } from 'vitest';
import type { FireDecision } from '../../../src/domain/entities/timer.ts';
import type { ScheduleId, TenantId } from '../../../src/domain/ids.ts';
import type { DueSlot } from '../../../src/domain/ports/engine-store.ts';
import type { EngineSql } from '../../../src/infra/repo/engine-rows.ts';
import { writeFired } from '../../../src/infra/repo/write-fired.ts';

const SLOT = 60_000;
const TIMER = { slot: SLOT, due: SLOT, cursor: 0, lastFired: null, fires: 0 };
const DUE: DueSlot = {
  scheduleId: 'a-schedule' as ScheduleId,
  tenantId: 'a-tenant' as TenantId,
  timer: TIMER,
  version: null,
  problem: null,
  previous: 'ENDED',
};
const FIRED = { slot: SLOT, due: SLOT, cause: 'SCHEDULE', start: 'NOW' } as const;
const CLAIMANT = { claimId: 'a-claim', owner: 'an-owner', leaseMs: 60_000 };

it.each<[string, FireDecision['next']]>([
  ['is over', 'COMPLETED'],
  ['is disabled', { disabled: 'no zone' }],
  ['goes on and tells another slot', { ...TIMER, slot: 2 * SLOT, due: 2 * SLOT, lastFired: 0 }],
])('a slot is not fired whose timer %s: its run would be nobody’s, and nothing is sent', async (_, next) => {
  const sent: unknown[] = [];
  const sql = ((...statement: unknown[]) => sent.push(statement)) as unknown as EngineSql;
  const decision: FireDecision = { fired: FIRED, skipped: null, next };
  await expect(writeFired(sql, [{ slot: DUE, place: '(0,1)', decision }], CLAIMANT)).rejects.toThrow(
    'the timer of a-schedule does not tell the slot that is fired',
  );
  expect(sent).toEqual([]);
});
