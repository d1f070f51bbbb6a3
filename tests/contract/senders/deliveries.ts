import type { ScheduleDefinition } from '../../../src/domain/entities/definition.ts';
import { ScheduleVersion } from '../../../src/domain/entities/schedule-version.ts';
import type { HttpTarget, Target } from '../../../src/domain/entities/target.ts';
import {
  asScheduleId,
  asTenantId,
  encodeRunId,
  type RunKey,
  type ScheduleId,
  SLOT_SPACE,
  type TenantId,
} from '../../../src/domain/ids.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';

/** 2026-03-29T01:00:00Z. */
export const SLOT = 1_774_746_000_000;
export const NOW = SLOT + 1_234;
export const clock = { now: () => NOW };

const definition: Omit<ScheduleDefinition, 'target'> = {
  tz: 'UTC',
  trigger: { type: 'CRON', cron: '0 1 * * *' },
  payload: { report: 'daily' },
  startAt: null,
  endAt: null,
  maxFires: null,
  jitter: null,
  dst: { gap: 'NEXT_VALID', fold: 'FIRST' },
  overlapPolicy: 'SKIP',
  misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 },
  retry: { maxAttempts: 8, initialDelaySec: 5, backoffCoefficient: 3, maxDelaySec: 3600, jitter: 1, maxAgeSec: 86_400 },
  timeoutSec: 30,
  pauseOnFailures: null,
  calendars: null,
  excluded: null,
  onCompletion: 'KEEP',
};

/** A first attempt at the slot of 2026-03-29T01:00:00Z. */
export function aDelivery(target: Target, change: Partial<Delivery> = {}): Delivery {
  const key: RunKey = { scheduleId: scheduleId('01920000-0000-7000-8000-000000000001'), slot: SLOT, space: SLOT_SPACE };
  const tenant = tenantId('tenant-123');
  const version = new ScheduleVersion(
    { scheduleId: key.scheduleId, tenantId: tenant, version: 1 },
    { ...definition, target },
  );
  return {
    key,
    runId: encodeRunId(key),
    tenantId: tenant,
    version,
    cause: 'SCHEDULE',
    attempt: 1,
    due: SLOT,
    payload: definition.payload,
    trace: null,
    began: () => undefined,
    whenSettled: () => undefined,
    ...change,
  };
}

let lastSlot = Date.now();

/** A first attempt at a slot that no other has. */
export function aRun(target: Target, change: Partial<Delivery> = {}): Delivery {
  lastSlot += 1000;
  const key = { ...aDelivery(target).key, slot: lastSlot };
  return aDelivery(target, { key, runId: encodeRunId(key), ...change });
}

export function httpTarget(http: Partial<HttpTarget> & { readonly url: string }): Target {
  return { kind: 'HTTP', http: { method: 'POST', headers: {}, ...http } };
}

export function tenantId(text: string): TenantId {
  return given(asTenantId(text));
}

export function scheduleId(text: string): ScheduleId {
  return given(asScheduleId(text));
}

/** A signal that never aborts. */
export function noDeadline(): AbortSignal {
  return new AbortController().signal;
}

function given<T>(value: T | null): T {
  if (value === null) throw new Error('not an id');
  return value;
}
