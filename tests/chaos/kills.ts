import { seededRandom } from '../support/random.ts';
import { type Campaign, type Frame, planOf } from './plan.ts';
import { NODES } from './steps.ts';

/** A second each, due at any time within it, so that every node gets some; their receivers take up to 1.6 s, so that it has work in flight at any time. */
const SCHEDULES = 40;
/** A killed node stays away until its work has been taken over by the others. */
const AWAY_MS = 2_000;
/** How long a node may take to start, on average. */
const START_MS = 6_000;

/** Nothing but kills, one after the other, at moments of chance: how long does the work of a killed node wait? */
export function planKills({ seed, startAt, leaseMs, kills }: Frame & { readonly kills: number }): Campaign {
  const random = seededRandom(seed);
  const periodMs = leaseMs * 1.5 + AWAY_MS + START_MS;
  const endAt = startAt + Math.ceil((kills * periodMs) / 1000) * 1000;
  const plans = Array.from({ length: SCHEDULES }, (_, index) => ({
    ...planOf('interval', index, random, { startAt, endAt }),
    temper: 'slow' as const,
    jitterSec: 1,
    isFickle: false,
  }));
  const steps = Array.from({ length: kills }, (_, index) => ({
    index,
    // Renewals come three times a lease: a kill may fall anywhere between two.
    atMs: leaseMs / 3 + (random() * leaseMs) / 3,
    fault: { kind: 'kill' as const, node: Math.floor(random() * NODES), ms: leaseMs + AWAY_MS },
  }));
  return { plans, standing: plans.length, steps, isPatient: true };
}
