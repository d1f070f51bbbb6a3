import { describe, expect, it } from 'vitest';
import { asTenantId, type TenantId } from '../../../src/domain/ids.ts';
import { FairQueue } from '../../../src/domain/services/fair-queue.ts';
import { seededRandom } from '../../support/random.ts';

const [ADA, BOB] = [tenant('ada'), tenant('bob')];

function tenant(name: string): TenantId {
  const id = asTenantId(name);
  if (id === null) throw new Error(`${name} is no tenant`);
  return id;
}

function filled(share: number, waiting: ReadonlyMap<TenantId, number>): FairQueue<string> {
  const queue = new FairQueue<string>(share);
  for (const [tenantId, count] of waiting) {
    for (let item = 1; item <= count; item += 1) queue.put(tenantId, `${tenantId} ${item}`);
  }
  return queue;
}

function takeAll(queue: FairQueue<string>): readonly string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
}

describe('a fair queue', () => {
  it('gives a tenant that is alone all there is, in order', () => {
    expect(takeAll(filled(2, new Map([[ADA, 4]])))).toEqual(['ada 1', 'ada 2', 'ada 3', 'ada 4']);
  });

  it('takes turns between tenants', () => {
    const queue = filled(
      10,
      new Map([
        [ADA, 3],
        [BOB, 2],
      ]),
    );
    expect(takeAll(queue)).toEqual(['ada 1', 'bob 1', 'ada 2', 'bob 2', 'ada 3']);
  });

  it('gives none more than its share in flight while another waits, and goes on as they land', () => {
    const queue = filled(
      2,
      new Map([
        [ADA, 4],
        [BOB, 3],
      ]),
    );
    expect(takeAll(queue)).toEqual(['ada 1', 'bob 1', 'ada 2', 'bob 2']);
    queue.done(BOB);
    expect(takeAll(queue)).toEqual(['bob 3', 'ada 3', 'ada 4']);
  });

  it('says what it holds, and gives it all back when it is emptied', () => {
    const queue = filled(
      2,
      new Map([
        [ADA, 3],
        [BOB, 1],
      ]),
    );
    queue.take();
    expect(queue.size).toBe(3);
    expect(queue.drain().sort()).toEqual(['ada 2', 'ada 3', 'bob 1']);
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
    queue.put(ADA, 'ada 4');
    expect(takeAll(queue)).toEqual(['ada 4']);
  });

  it('loses and doubles nothing, whatever comes and goes', () => {
    const random = seededRandom(7);
    const queue = new FairQueue<number>(3);
    const tenants = [ADA, BOB, tenant('eve'), tenant('dan')];
    const flying: TenantId[] = [];
    const owners = new Map<number, TenantId>();
    const taken: number[] = [];
    for (let item = 0; item < 5000; item += 1) {
      const owner = tenants[Math.floor(random() ** 2 * tenants.length)] ?? ADA;
      owners.set(item, owner);
      queue.put(owner, item);
      while (flying.length > 8) queue.done(flying.splice(Math.floor(random() * flying.length), 1)[0] ?? ADA);
      const next = random() < 0.9 ? queue.take() : undefined;
      if (next === undefined) continue;
      taken.push(next);
      flying.push(owners.get(next) ?? ADA);
    }
    for (const tenantId of flying) queue.done(tenantId);
    for (let next = queue.take(); next !== undefined; next = queue.take()) {
      taken.push(next);
      queue.done(owners.get(next) ?? ADA);
    }
    expect(taken.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 5000 }, (_, item) => item));
    for (const tenantId of tenants) {
      const own = taken.filter((item) => owners.get(item) === tenantId);
      expect(own).toEqual(own.toSorted((left, right) => left - right));
    }
  });
});
