import { setTimeout as delay } from 'node:timers/promises';
import type { ContenderSide } from './contend.ts';

/** A scheduler with nothing to do. */
export interface IdleScheduler {
  open(): Promise<void>;
  /** Asks for one job at `at` (epoch ms) and answers when it began (epoch ms, with fractions). */
  due(at: number): Promise<number>;
  close(): Promise<void>;
}

const SAMPLES = 25;
const SOONEST_MS = 150;
const SPREAD_MS = 500;
const WARM_UP = 5;
const QUIET_MS = 2000;
export const IDLE_MS = 10_000;

/** Rounds in turns: samples of lateness at random instants, one at a time, then a stretch in which nothing is asked. */
export function idleSide(scheduler: IdleScheduler): ContenderSide {
  let isOpen = false;
  let isIdleRound = true;
  let latenessMs: number[] = [];
  const sample = async (): Promise<number> => {
    const at = Date.now() + SOONEST_MS + Math.floor(Math.random() * SPREAD_MS);
    return (await scheduler.due(at)) - at;
  };
  return {
    async prepare() {
      isIdleRound = !isIdleRound;
      if (!isOpen) await scheduler.open();
      for (let warm = 0; warm < WARM_UP && !isOpen; warm += 1) await sample();
      isOpen = true;
      if (isIdleRound) await delay(QUIET_MS);
      return {};
    },
    async round() {
      latenessMs = [];
      if (isIdleRound) await delay(IDLE_MS);
      else for (let taken = 0; taken < SAMPLES; taken += 1) latenessMs.push(await sample());
      return latenessMs.length;
    },
    async rest() {
      return { latenessMs };
    },
    close: () => scheduler.close(),
  };
}
