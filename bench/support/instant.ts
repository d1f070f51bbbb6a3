import { setTimeout as delay } from 'node:timers/promises';

/** Waits for an instant, epoch ms; not at all where it has passed. */
export function reached(at: number): Promise<void> {
  return delay(Math.max(0, at - Date.now()));
}
