import type { JsonValue } from '../../domain/entities/json.ts';
import type { Outcome } from '../../domain/entities/run.ts';
import type { RunId, ScheduleId, TenantId } from '../../domain/ids.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { endedBySignal, reasonOf, untilAborted, wrongKind } from './ended-attempt.ts';

/** What a command is told of its run. `signal` aborts at the attempt's deadline and at shutdown. */
export interface CommandContext {
  /** The same over every attempt and redrive: what a command makes idempotent by. */
  readonly runId: RunId;
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly scheduledFor: Date;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly payload: JsonValue;
  readonly signal: AbortSignal;
}

/**
 * A function of the embedding program. Returning or resolving is success; throwing or rejecting is tried again under the
 * schedule's retry policy, unless the error has `retryable: false`.
 */
export type CommandFunction = (context: CommandContext) => unknown;

/** A run handed back waits this long, so that nodes without its command do not pass it around without end. */
const HAND_BACK_MS = 1_000;

const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED' };

/** Calls registered functions in this process. A synchronous command costs no promise. */
export class CommandSender implements Sender {
  readonly #commands: ReadonlyMap<string, CommandFunction>;

  /** The registry is read at each delivery: what is registered later counts from then on. */
  constructor(commands: ReadonlyMap<string, CommandFunction>) {
    this.#commands = commands;
  }

  send(delivery: Delivery, signal: StopSignal): Outcome | Promise<Outcome> {
    const { target } = delivery.version.definition;
    if (target.kind !== 'COMMAND') return wrongKind(target.kind);
    const command = this.#commands.get(target.command.name);
    if (command === undefined) return handedBack(target.command.name);
    if (signal.aborted) return endedBySignal(signal, false);
    try {
      const result = command(new CommandCall(delivery, signal));
      return isPromiseLike(result) ? settled(result, signal) : ACCEPTED;
    } catch (error) {
      return failed(error, signal);
    }
  }
}

/** Encodes the run id when a command asks for it: that costs more than the rest of a delivery. */
class CommandCall implements CommandContext {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly scheduledFor: Date;
  readonly attempt: number;
  readonly payload: JsonValue;
  readonly signal: AbortSignal;
  readonly #delivery: Delivery;

  constructor(delivery: Delivery, stop: StopSignal) {
    this.scheduleId = delivery.key.scheduleId;
    this.tenantId = delivery.tenantId;
    this.scheduledFor = new Date(delivery.key.slot);
    this.attempt = delivery.attempt;
    this.payload = delivery.payload;
    this.signal = abortSignalOf(stop);
    this.#delivery = delivery;
  }

  get runId(): RunId {
    return this.#delivery.runId;
  }
}

async function settled(result: PromiseLike<unknown>, signal: StopSignal): Promise<Outcome> {
  const answered = result.then(
    () => ACCEPTED,
    (error: unknown) => failed(error, signal),
  );
  return untilAborted(answered, signal, () => endedBySignal(signal, true));
}

function abortSignalOf(stop: StopSignal): AbortSignal {
  if (stop instanceof AbortSignal) return stop;
  const controller = new AbortController();
  const abort = (): void => controller.abort(stop.reason);
  if (stop.aborted) abort();
  else stop.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

/** A node that lacks the command leaves the run to one that has it. */
function handedBack(name: string): Outcome {
  const reason = `command "${name}" is not registered on this node`;
  return { kind: 'aborted', attempt: 'ABORTED', reason, retryAfterMs: HAND_BACK_MS };
}

function failed(error: unknown, signal: StopSignal): Outcome {
  if (signal.aborted) return endedBySignal(signal, true);
  const reason = reasonOf(error);
  if (isFinal(error)) return { kind: 'refused', attempt: 'FAILED', why: 'REFUSED', reason };
  return { kind: 'unanswered', attempt: 'FAILED', reason };
}

function isFinal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
