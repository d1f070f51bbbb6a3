import { setTimeout as delay } from 'node:timers/promises';
import { isOutage } from './database-errors.ts';

const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;

/**
 * What `ask` answers. A start asks again, for half a minute, while the database cannot be reached or does not answer in time: it
 * may come up after us, or be busy with the start of others. `tell` hears of the first failure.
 */
export async function onceItAnswers<T>(
  ask: () => Promise<T>,
  tell: (error: unknown) => void,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const over = performance.now() + patienceMs;
  for (let tried = 1; ; tried += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isOutage(error) || performance.now() > over) throw error;
      if (tried === 1) tell(error);
      await delay(PAUSE_MS);
    }
  }
}
