import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a fact, looking every few milliseconds; fails with `what` when it does not come about in time. */
export async function until(
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
  withinMs = 120_000,
  everyMs = 10,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain until ${typeof what === 'string' ? what : what()}`);
    await delay(everyMs);
  }
}
