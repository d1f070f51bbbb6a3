import { describe, expect, it } from 'vitest';
import { asTenantId, type TenantId } from '../../../src/domain/ids.ts';
import { LANES, type Lane } from '../../../src/domain/ports/run-repository.ts';
import { FairQueue, type FlightLimits, type Place } from '../../../src/domain/services/fair-queue.ts';
import { seededRandom } from '../../support/random.ts';

const [ADA, BOB] = [tenant('ada'), tenant('bob')];

interface Item {
  readonly name: string;
  readonly place: Place;
}

function tenant(name: string): TenantId {
  const id = asTenantId(name);
  if (id === null) throw new Error(`${name} is no tenant`);
  return id;
}

function item(tenantId: TenantId, name: string, given: { lane?: Lane; destination?: string } = {}): Item {
  const { lane = LANES.live, destination = null } = given;
  return { name, place: { tenantId, lane, destination } };
}

function queueOf(limits: Partial<FlightLimits> = {}): FairQueue<Item> {
  return new FairQueue({ window: 100, perTenant: 100, perDestination: 100, atDestination: 1000, ...limits });
}

function filled(limits: Partial<FlightLimits>, waiting: ReadonlyMap<TenantId, number>): FairQueue<Item> {
  const queue = queueOf(limits);
  for (const [tenantId, count] of waiting) {
    for (let number = 1; number <= count; number += 1) queue.put(item(tenantId, `${tenantId} ${number}`));
  }
  return queue;
}

function takeAll(queue: FairQueue<Item>): readonly string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next.name);
  return taken;
}

describe('a fair queue', () => {
  it('gives a tenant that is alone all there is, in order', () => {
    expect(takeAll(filled({ perTenant: 2 }, new Map([[ADA, 4]])))).toEqual(['ada 1', 'ada 2', 'ada 3', 'ada 4']);
  });

  it('takes turns between tenants', () => {
    const waiting = new Map([
      [ADA, 3],
      [BOB, 2],
    ]);
    expect(takeAll(filled({}, waiting))).toEqual(['ada 1', 'bob 1', 'ada 2', 'bob 2', 'ada 3']);
  });

  it('gives none more than its share in flight while another waits, and goes on as they land', () => {
    const waiting = new Map([
      [ADA, 4],
      [BOB, 3],
    ]);
    const queue = filled({ perTenant: 2 }, waiting);
    expect(takeAll(queue)).toEqual(['ada 1', 'bob 1', 'ada 2', 'bob 2']);
    queue.done(item(BOB, '').place);
    expect(takeAll(queue)).toEqual(['bob 3', 'ada 3', 'ada 4']);
  });

  it('keeps places free for who comes later, even from a tenant that is alone', () => {
    const queue = filled({ window: 10, perTenant: 2 }, new Map([[ADA, 20]]));
    expect(takeAll(queue)).toHaveLength(8);
    queue.put(item(BOB, 'bob 1'));
    expect(takeAll(queue)).toEqual(['bob 1']);
  });

  it('keeps places free however many tenants hold on to theirs', () => {
    const many = Array.from({ length: 20 }, (_, index) => tenant(`tenant-${index}`));
    const queue = filled({ window: 1000, perTenant: 200 }, new Map(many.map((each) => [each, 1000])));
    expect(takeAll(queue).length).toBeLessThan(1000);
    queue.put(item(BOB, 'bob 1'));
    expect(takeAll(queue)).toContain('bob 1');
  });

  it('says what it holds, and gives it all back when it is emptied', () => {
    const waiting = new Map([
      [ADA, 3],
      [BOB, 1],
    ]);
    const queue = filled({ perTenant: 2 }, waiting);
    queue.take();
    expect(queue.size).toBe(3);
    expect(
      queue
        .drain()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['ada 2', 'ada 3', 'bob 1']);
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
    queue.put(item(ADA, 'ada 4'));
    expect(takeAll(queue)).toEqual(['ada 4']);
  });
});

describe('the lanes of a tenant', () => {
  it('are served 8 : 3 : 1 : 1 while all of them wait', () => {
    const queue = queueOf();
    for (const [name, lane] of Object.entries(LANES))
      for (let index = 0; index < 30; index += 1) queue.put(item(ADA, name, { lane }));
    const taken = Array.from({ length: 26 }, () => queue.take()?.name);
    const count = (name: string): number => taken.filter((other) => other === name).length;
    expect([count('live'), count('retry'), count('catchUp'), count('redrive')]).toEqual([16, 6, 2, 2]);
    expect(taken[0]).toBe('live');
  });

  it('leave nothing unused: one that waits alone gets every turn', () => {
    const queue = queueOf();
    for (const name of ['1', '2', '3']) queue.put(item(ADA, name, { lane: LANES.redrive }));
    expect(takeAll(queue)).toEqual(['1', '2', '3']);
  });

  it('let a live item overtake a backlog of the others', () => {
    const queue = queueOf();
    for (let index = 0; index < 50; index += 1) queue.put(item(ADA, 'old', { lane: LANES.catchUp }));
    queue.take();
    queue.put(item(ADA, 'live'));
    expect(queue.take()?.name).toBe('live');
  });
});

describe('a destination', () => {
  it('has no more in flight than it may, and holds up no other of its tenant', () => {
    const queue = queueOf({ perDestination: 2 });
    for (let index = 1; index <= 5; index += 1) queue.put(item(ADA, `a${index}`, { destination: 'a' }));
    queue.put(item(ADA, 'b1', { destination: 'b' }));
    queue.put(item(ADA, 'none'));
    expect(takeAll(queue).toSorted()).toEqual(['a1', 'a2', 'b1', 'none']);
    queue.done(item(ADA, '', { destination: 'b' }).place);
    expect(takeAll(queue)).toEqual([]);
    queue.done(item(ADA, '', { destination: 'a' }).place);
    expect(takeAll(queue)).toEqual(['a3']);
  });

  it('keeps places free for the tenants that come later, and gives what is freed to those with few', () => {
    const queue = queueOf({ atDestination: 10 });
    const at = (owner: TenantId, name = ''): Item => item(owner, name, { destination: 'a' });
    for (const owner of [ADA, BOB])
      for (let index = 1; index <= 9; index += 1) queue.put(at(owner, `${owner} ${index}`));
    expect(takeAll(queue)).toHaveLength(9);
    const eve = tenant('eve');
    queue.put(at(eve, 'eve 1'));
    queue.put(at(eve, 'eve 2'));
    expect(takeAll(queue)).toEqual(['eve 1']);
    queue.done(at(ADA).place);
    expect(takeAll(queue)).toEqual(['eve 2']);
  });

  it('that nobody flies to any more is free for those that waited', () => {
    const queue = queueOf({ atDestination: 2 });
    const owners = [ADA, BOB, tenant('eve'), tenant('dan')];
    for (const owner of owners) queue.put(item(owner, owner, { destination: 'a' }));
    expect(takeAll(queue)).toEqual(['ada', 'bob']);
    for (const owner of [ADA, BOB]) queue.done(item(owner, '', { destination: 'a' }).place);
    expect(takeAll(queue)).toEqual(['eve', 'dan']);
  });

  it('is there for all that waited, also where more did than there are places', () => {
    const queue = queueOf({ atDestination: 1 });
    const owners = [ADA, BOB, tenant('eve')];
    for (const owner of owners) queue.put(item(owner, owner, { destination: 'a' }));
    const taken = owners.flatMap((owner) => {
      const names = takeAll(queue);
      queue.done(item(owner, '', { destination: 'a' }).place);
      return names;
    });
    expect(taken).toEqual(['ada', 'bob', 'eve']);
  });

  it('is forgotten when the queue is emptied: what lands later brings nothing back', () => {
    const queue = queueOf({ atDestination: 1 });
    for (const owner of [ADA, BOB]) queue.put(item(owner, owner, { destination: 'a' }));
    expect(takeAll(queue)).toEqual(['ada']);
    expect(queue.drain().map(({ name }) => name)).toEqual(['bob']);
    queue.done(item(ADA, '', { destination: 'a' }).place);
    expect([queue.take(), queue.size]).toEqual([undefined, 0]);
  });

  it('of one tenant is not that of another', () => {
    const queue = queueOf({ perDestination: 1 });
    for (const each of [ADA, BOB]) queue.put(item(each, each, { destination: 'a' }));
    expect(takeAll(queue)).toEqual(['ada', 'bob']);
  });
});

describe('whatever comes and goes', () => {
  it('nothing is lost or doubled, each limit holds, and each line keeps its order', () => {
    const random = seededRandom(7);
    const limits = { window: 12, perTenant: 5, perDestination: 3, atDestination: 6 };
    const queue = new FairQueue<Item>(limits);
    const tenants = [ADA, BOB, tenant('eve'), tenant('dan')];
    const flying: Item[] = [];
    const taken: Item[] = [];
    const land = (): void => {
      const [landed] = flying.splice(Math.floor(random() * flying.length), 1);
      if (landed !== undefined) queue.done(landed.place);
    };
    const takeOff = (): boolean => {
      const next = flying.length < limits.window ? queue.take() : undefined;
      if (next === undefined) return false;
      taken.push(next);
      flying.push(next);
      const beside = flying.filter(({ place }) => place.tenantId === next.place.tenantId);
      const { destination } = next.place;
      expect(destination === null || flying.filter(({ place }) => place.destination === destination).length <= 6).toBe(
        true,
      );
      if (destination !== null)
        expect(beside.filter(({ place }) => place.destination === destination).length).toBeLessThanOrEqual(3);
      return true;
    };
    for (let number = 0; number < 5000; number += 1) {
      const owner = tenants[Math.floor(random() ** 2 * tenants.length)] ?? ADA;
      const lane = Object.values(LANES)[Math.floor(random() * 4)] ?? LANES.live;
      const destination = ['a', 'b', 'c', undefined][Math.floor(random() * 4)];
      queue.put(item(owner, String(number), destination === undefined ? { lane } : { lane, destination }));
      if (random() < 0.9) takeOff();
      if (random() < 0.5) land();
    }
    while (flying.length > 0 || queue.size > 0) {
      land();
      while (takeOff());
    }
    const numbers = taken.map(({ name }) => Number(name));
    expect(numbers.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 5000 }, (_, index) => index));
    for (const line of Map.groupBy(taken, ({ place }) => JSON.stringify(place)).values()) {
      const own = line.map(({ name }) => Number(name));
      expect(own).toEqual(own.toSorted((left, right) => left - right));
    }
  });
});
