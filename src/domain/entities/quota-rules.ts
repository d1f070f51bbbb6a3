import { DomainError } from '../errors.ts';
import type { ScheduleDefinition } from './definition.ts';
import type { JsonValue } from './json.ts';
import type { ScheduleEntity } from './schedule.ts';
import type { TenantQuotas } from './tenant-policy.ts';

/** How many slots to come are looked at for the shortest time between two. */
const SLOTS_LOOKED_AT = 1000;
const ENCODER = new TextEncoder();

/** Throws PAYLOAD_TOO_LARGE for a payload, or a body sent instead of it, of more bytes than the tenant may send. */
export function checkSizes({ payload, target }: ScheduleDefinition, quotas: TenantQuotas): void {
  checkPayload(payload, quotas);
  if (target.kind === 'HTTP' && target.http.body !== undefined)
    checkPayload(target.http.body, quotas, 'target.http.body');
}

/** Throws PAYLOAD_TOO_LARGE. */
export function checkPayload(value: JsonValue, { payloadBytes }: TenantQuotas, path = 'payload'): void {
  const text = JSON.stringify(value);
  // No character takes more than three bytes for each of its UTF-16 units.
  if (text.length * 3 <= payloadBytes || ENCODER.encode(text).length <= payloadBytes) return;
  const message = `must be at most ${payloadBytes} bytes long as JSON`;
  throw new DomainError('PAYLOAD_TOO_LARGE', `${path} ${message}`, [{ path, message }]);
}

/** Throws QUOTA_EXCEEDED for slots that lie closer together than the tenant may have them, among the next thousand. */
export function checkInterval(schedule: ScheduleEntity, { minIntervalSec }: TenantQuotas): void {
  if (minIntervalSec === null) return;
  const { currentVersion, timer } = schedule;
  const least = minIntervalSec * 1000;
  if (currentVersion.delayMs !== null) {
    if (currentVersion.delayMs < least) throw tooOften(minIntervalSec);
    return;
  }
  let slot: number | null = timer.slot;
  for (let looked = 0; slot !== null && looked < SLOTS_LOOKED_AT; looked += 1) {
    const next: number | null = currentVersion.nextOf(slot);
    if (next !== null && next - slot < least) throw tooOften(minIntervalSec);
    slot = next;
  }
}

function tooOften(minIntervalSec: number): DomainError {
  const message = `must not have slots less than ${minIntervalSec} s apart`;
  return new DomainError('QUOTA_EXCEEDED', `trigger ${message}`, [{ path: 'trigger', message }]);
}
