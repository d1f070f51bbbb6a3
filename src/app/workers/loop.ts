import type { Journal } from '../../domain/ports/journal.ts';
import type { Alarm } from './alarm.ts';

/** One turn of a worker: does what is to be done now and answers the milliseconds until it wants to be called again. */
export type Step = () => Promise<number>;

/** No sleep is longer: a suspended machine recovers, and no timer overflows. */
const LONGEST_SLEEP_MS = 60_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

/** Calls `step` until the signal aborts. A step that throws is logged and tried again, ever later up to 5 s. */
export async function runLoop(
  worker: { readonly name: string; readonly step: Step; readonly alarm: Alarm },
  journal: Journal,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let sleepMs: number;
    try {
      sleepMs = await worker.step();
      failures = 0;
    } catch (error) {
      journal.loopFailed(worker.name, error);
      sleepMs = Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS);
      failures = Math.min(failures + 1, 10);
    }
    await worker.alarm.sleep(Math.min(sleepMs, LONGEST_SLEEP_MS), signal);
  }
}
