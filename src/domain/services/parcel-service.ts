import type { Outcome } from '../entities/run.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import { encodeRunId } from '../ids.ts';
import type { Parcel, VersionSource } from '../ports/courier.ts';
import type { FireTrace, Journal } from '../ports/journal.ts';
import type { Delivery, Senders } from '../ports/sender.ts';
import { MISTAKE, SENDER_DEAF } from './ended-delivery.ts';

/** A sender that was told to stop has this long. */
const STOP_MS = 2_000;
const AGAIN_MS = 1_000;

const UNREAD: Outcome = {
  kind: 'aborted',
  attempt: 'ABORTED',
  reason: 'the worker could not read the definition',
  retryAfterMs: AGAIN_MS,
};
const NO_VERSION: Outcome = {
  kind: 'unanswered',
  attempt: 'FAILED',
  reason: 'the definition does not compile on the worker',
};

/** Makes attempts for engines: looks up what a parcel names, and sends it as the engine itself would. */
export class ParcelService {
  readonly #versions: VersionSource;
  readonly #senders: Pick<Senders, 'of'>;
  readonly #journal: Pick<Journal, 'loopFailed'>;

  constructor(parts: {
    readonly versions: VersionSource;
    readonly senders: Pick<Senders, 'of'>;
    readonly journal: Pick<Journal, 'loopFailed'>;
  }) {
    this.#versions = parts.versions;
    this.#senders = parts.senders;
    this.#journal = parts.journal;
  }

  /** One attempt within the schedule's `timeoutSec`, counted from its start. Never rejects. */
  async deliver(parcel: Parcel, signal: AbortSignal): Promise<Outcome> {
    let version: ScheduleVersion | null;
    try {
      version = await this.#versions.of(parcel.key.scheduleId, parcel.version);
    } catch {
      return UNREAD;
    }
    if (version === null) return NO_VERSION;
    try {
      return await this.#send(deliveryOf(parcel, version), signal);
    } catch (error) {
      this.#journal.loopFailed('deliver', error);
      return MISTAKE;
    }
  }

  async #send(delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
    const { target, timeoutSec } = delivery.version.definition;
    const deaf = Promise.withResolvers<Outcome>();
    const ending = new AbortController();
    let stopping: NodeJS.Timeout | undefined;
    const stop = (reason: unknown): void => {
      ending.abort(reason);
      stopping ??= setTimeout(() => deaf.resolve(SENDER_DEAF), STOP_MS);
    };
    const onAbort = (): void => stop(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const overdue = new DOMException('the attempt timed out', 'TimeoutError');
    const deadline = setTimeout(() => stop(overdue), timeoutSec * 1000);
    try {
      return await Promise.race([this.#senders.of(target.kind).send(delivery, ending.signal), deaf.promise]);
    } finally {
      clearTimeout(deadline);
      clearTimeout(stopping);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function deliveryOf(parcel: Parcel, version: ScheduleVersion): Delivery {
  const { key, cause, attempt, due, payload, traceparent } = parcel;
  return {
    key,
    runId: encodeRunId(key),
    tenantId: version.tenantId,
    version,
    cause,
    attempt,
    due,
    payload: payload === undefined ? version.definition.payload : payload,
    trace: traceparent === null ? null : traceOf(traceparent),
    began: () => undefined,
    whenSettled: () => undefined,
  };
}

/** The span belongs to the engine; here it is only told to the target. */
function traceOf(traceparent: string): FireTrace {
  return { traceparent, attemptEnded: () => undefined, settled: () => undefined };
}
