import { asTenantId, type TenantId } from '../../src/domain/ids.ts';
import { LANES } from '../../src/domain/ports/run-repository.ts';
import { FairQueue, type Place } from '../../src/domain/services/fair-queue.ts';

const TENANTS = 128;
const ITEMS = 400_000;
/** As many as the product has open. */
const WAITING = 4_000;
const LIMITS = { window: 1000, perTenant: 200, perDestination: 125, atDestination: 160 };

/**
 * What taking turns costs a delivery in µs: put, taken and done, by many tenants with one host between them, which keeps every limit
 * at work. Measured after as many to warm up.
 */
export function turnsCostUs(): number {
  const tenants = Array.from({ length: TENANTS }, (_, index) => asTenantId(`tenant-${index}`)).filter(
    (tenantId): tenantId is TenantId => tenantId !== null,
  );
  const places = tenants.map((tenantId): Place => ({ tenantId, lane: LANES.live, destination: 'http://host' }));
  pass(places);
  const startedAt = performance.now();
  pass(places);
  return ((performance.now() - startedAt) * 1000) / ITEMS;
}

function pass(places: readonly Place[]): void {
  const queue = new FairQueue<{ readonly place: Place }>(LIMITS);
  const flying: Place[] = [];
  let put = 0;
  for (let done = 0; done < ITEMS; done += 1) {
    for (; put < Math.min(ITEMS, done + WAITING); put += 1) {
      const place = places[(put * 7919) % places.length];
      if (place !== undefined) queue.put({ place });
    }
    for (let next = queue.take(); next !== undefined; next = queue.take()) flying.push(next.place);
    const landed = flying.shift();
    if (landed === undefined) throw new Error('nothing flies');
    queue.done(landed);
  }
}
