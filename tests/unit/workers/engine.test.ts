import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../../src/app/workers/engine.ts';

/* The life of the loops, around services that only say what is asked of them. */

const NEVER = Number.POSITIVE_INFINITY;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Services that have nothing to do, unless told otherwise. */
function open(given: { readonly flying?: number; readonly fireDue?: () => Promise<number> } = {}) {
  const asked: string[] = [];
  const steps = (name: string, answer: () => Promise<number> = async () => NEVER) => async () => {
    asked.push(name);
    return answer();
  };
  const delivery = {
    flying: given.flying ?? 0,
    open: given.flying ?? 0,
    onEnded: () => undefined,
    onRoom: () => undefined,
    onFlight: () => undefined,
    beginDrain: () => asked.push('beginDrain'),
    abortAll: () => asked.push('abortAll'),
  };
  const rings: number[] = [];
  let heard: (due: number) => void = () => undefined;
  const clock = { now: () => performance.now(), monotonic: () => performance.now(), observe: () => undefined };
  const engine = new Engine({
    firing: {
      isStarved: false,
      fireDue: steps('fireDue', given.fireDue ?? (async () => 15_000)),
      fireWaiting: steps('fireWaiting', async () => 15_000),
      recover: steps('recover'),
      renew: steps('renew', async () => 5_000),
    },
    delivery,
    settling: { onDue: () => undefined, settle: steps('settle'), watch: steps('watch') },
    upkeep: { step: steps('upkeep') },
    backfills: { emit: steps('backfill') },
    bell: {
      ring: (due: number) => void rings.push(due),
      listen: (hear: (due: number) => void) => {
        heard = hear;
      },
    },
    clock,
    journal: silentJournal(),
  });
  const count = (name: string): number => asked.filter((other) => other === name).length;
  return { engine, delivery, asked, rings, count, hear: (due: number) => heard(due) };
}
