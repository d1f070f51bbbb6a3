import type { Outcome } from '../../domain/entities/run.ts';
import type { StopSignal } from '../../domain/ports/sender.ts';

/** Error texts kept on an attempt are at most this long. */
const MAX_REASON = 500;

/** The outcome of an attempt that its signal ended: a deadline counts as a try, anything else hands the run back. */
export function endedBySignal(signal: StopSignal, possibleDuplicate: boolean): Outcome {
  if (nameOf(signal.reason) === 'TimeoutError') {
    return { kind: 'unanswered', attempt: 'TIMEOUT', reason: 'no answer before the deadline', possibleDuplicate };
  }
  return { kind: 'aborted', attempt: 'ABORTED', reason: 'stopped before an answer came', possibleDuplicate };
}

/** The outcome of a delivery whose version names another kind of target than its sender's: a bug, told instead of thrown. */
export function wrongKind(kind: string): Outcome {
  return { kind: 'refused', attempt: 'REFUSED', why: 'REFUSED', reason: `no sender for a target of kind ${kind}` };
}

/** What was thrown, as one bounded line without control characters. */
export function reasonOf(thrown: unknown): string {
  return (
    textOf(thrown)
      .replace(/[\u0000-\u001f\u007f]+/g, ' ')
      .slice(0, MAX_REASON)
      .trim()
      .toWellFormed() || 'failed without a message'
  );
}

/**
 * Resolves as `work` does, or with `ended()` as soon as the signal aborts; what `work` does after that is ignored.
 * Rejects only as `work` rejects before the signal aborts.
 */
export function untilAborted<T>(work: PromiseLike<T>, signal: StopSignal, ended: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(ended());
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
    if (signal.aborted) onAbort();
  });
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return `${thrown.message || thrown.name}`;
  return typeof thrown === 'string' ? thrown : `thrown without an error: ${typeof thrown}`;
}

function nameOf(reason: unknown): string | null {
  if (typeof reason !== 'object' || reason === null || !('name' in reason)) return null;
  return typeof reason.name === 'string' ? reason.name : null;
}
