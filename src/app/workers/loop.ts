import type { Journal } from '../../domain/ports/journal.ts';
import { Alarm } from './alarm.ts';

/** One turn of a worker: does what is to be done now and answers the milliseconds until it wants to be called again. */
export type Step = () => Promise<number>;

/** No sleep is longer: a suspended machine recovers, and no timer overflows. */
const LONGEST_SLEEP_MS = 60_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

/**
 * Calls `step` until the signal aborts. A step that throws is logged and tried again, ever later up to 5 s; no ring hurries
 * that, so that a loop without its database does not spin.
 */
export async function runLoop(
  worker: { readonly name: string; readonly step: Step; readonly alarm: Alarm },
  journal: Journal,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const sleepMs = await worker.step();
      failures = 0;
      await worker.alarm.sleep(Math.min(sleepMs, LONGEST_SLEEP_MS), signal);
    } catch (error) {
      journal.loopFailed(worker.name, error);
      await new Alarm().sleep(Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS), signal);
      failures = Math.min(failures + 1, 10);
    }
  }
}
