import { reached } from './instant.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { BenchServers } from './servers.ts';

/** From moving timers to their instant. */
const LEAD_MS = 3_000;
const LEAD_MS_EACH = 0.15;

/** So many schedules of the tenants `tenant-…` come due at one instant: how long until the last run is settled, and what the store used. */
export async function firedTogether(
  count: number,
  { servers, store }: { readonly servers: BenchServers; readonly store: ScheduleStore },
): Promise<{ readonly storeMs: number; readonly wallMs: number }> {
  const at = Date.now() + LEAD_MS + Math.ceil(count * LEAD_MS_EACH);
  await store.move({ count, prefix: 'tenant', at });
  if (Date.now() > at) throw new Error('moving the timers took longer than their lead');
  await reached(at);
  const from = await servers.usage();
  await store.drained(at);
  const wallMs = Date.now() - at;
  return { storeMs: (await servers.usedSince(from)).postgresCpuMs, wallMs };
}
