import { describe, expect, it } from 'vitest';
import { asTenantId, type TenantId } from '../../../src/domain/ids.ts';
import { Occupancy } from '../../../src/domain/services/occupancy.ts';

function tenant(name: string): TenantId {
  const id = asTenantId(name);
  if (id === null) throw new Error(`${name} is no tenant`);
  return id;
}

/** Every tenant claims as much as it is given, in steps of at most a thousand, until none is given more. */
function flooded(tenants: number): Occupancy {
  const occupancy = new Occupancy(5000);
  for (;;) {
    const crowding = new Set(occupancy.crowding);
    const claiming = Array.from({ length: tenants }, (_, index) => tenant(`tenant-${index}`)).filter(
      (each) => !crowding.has(each),
    );
    const step = Math.min(1000, occupancy.step);
    if (claiming.length === 0 || step === 0) return occupancy;
    for (let run = 0; run < step; run += 1) occupancy.add(claiming[run % claiming.length] ?? tenant('none'));
  }
}

describe('the runs that a process has open', () => {
  it.each([1, 2, 3, 5, 10])('leave room for another when %i tenants flood it', (tenants) => {
    const occupancy = flooded(tenants);
    expect(occupancy.free).toBeGreaterThanOrEqual(100);
    expect(occupancy.crowding).toHaveLength(tenants);
    expect(occupancy.isCrowding(tenant('another'))).toBe(false);
  });

  it('leave room for another when two claims at once bring the runs of one tenant', () => {
    const occupancy = new Occupancy(5000);
    const ada = tenant('ada');
    const begin = (): (() => void) => {
      const step = occupancy.isCrowding(ada) ? 0 : Math.min(1000, occupancy.step);
      const reserved = occupancy.reserve(step);
      return () => {
        for (let run = 0; run < step; run += 1) occupancy.add(ada);
        reserved[Symbol.dispose]();
      };
    };
    let [first, second] = [begin(), begin()];
    for (let turn = 0; turn < 20; turn += 1) {
      first();
      first = begin();
      second();
      second = begin();
    }
    expect(occupancy.free).toBeGreaterThanOrEqual(100);
    expect(occupancy.isCrowding(tenant('another'))).toBe(false);
  });

  it('have the room back that a claim did not use', () => {
    const occupancy = new Occupancy(5000);
    const reserved = occupancy.reserve(1000);
    expect([occupancy.free, occupancy.isReserved]).toEqual([4000, true]);
    reserved[Symbol.dispose]();
    expect([occupancy.free, occupancy.isReserved]).toEqual([5000, false]);
  });

  it('give a tenant that is alone most of it, and more again once some are settled', () => {
    const occupancy = flooded(1);
    expect(occupancy.open).toBeGreaterThan(3000);
    for (let run = 0; run < 2000; run += 1) occupancy.remove(tenant('tenant-0'));
    expect(occupancy.crowding).toEqual([]);
  });

  it('do not slow down many tenants with few runs each', () => {
    const occupancy = new Occupancy(5000);
    for (let run = 0; run < 4000; run += 1) occupancy.add(tenant(`tenant-${run % 128}`));
    expect([occupancy.step, occupancy.crowding]).toEqual([1000, []]);
  });

  it('have no room any more once it is closed', () => {
    const occupancy = new Occupancy(5000);
    occupancy.add(tenant('ada'));
    occupancy.close();
    expect([occupancy.open, occupancy.free, occupancy.step]).toEqual([1, 0, 0]);
  });
});
