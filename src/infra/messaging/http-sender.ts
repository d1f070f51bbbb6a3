import type { Dispatcher } from 'undici';
import { crashPoint } from '#crash-point';
import type { Outcome } from '../../domain/entities/run.ts';
import type { HttpTarget } from '../../domain/entities/target.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { SecretValues } from '../../domain/ports/secret-repository.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { deliveryHeaders } from './delivery-headers.ts';
import { endedBySignal, untilAborted, wrongKind } from './ended-attempt.ts';
import { HttpExchange } from './http-exchange.ts';
import { type RequestTemplate, requestTemplate } from './http-request.ts';
import { guardedValues, withoutValues } from './redacted-outcome.ts';

/** The way out. Its dispatcher connects to allowed addresses only and fails with `code: 'EGRESS_DENIED'` for others. */
export interface Egress {
  /** Why a URL can never be requested, as far as that can be told without a lookup; null when it may be. */
  checkUrl(url: string): string | null;
  readonly dispatcher: Dispatcher;
}

/** What a signature covers: the message id, the instant in epoch seconds, the body as it is sent. */
export interface SignedMessage {
  readonly id: string;
  readonly timestampSec: number;
  readonly body: string;
}

/** The value of `webhook-signature` for one tenant's message, at once where its keys are at hand; null when the tenant has no key. */
export type SignMessage = (tenantId: TenantId, message: SignedMessage) => string | null | Promise<string | null>;

export interface HttpSenderParts {
  readonly egress: Egress;
  readonly clock: Pick<Clock, 'now'>;
  readonly sign?: SignMessage | undefined;
  /** Left out: no secret exists. */
  readonly secrets?: SecretValues | undefined;
}

/**
 * Delivers to HTTP targets as Standard Webhooks. The total deadline is the signal's: undici's own timeouts never stop a
 * drip. Works on `dispatch` rather than `request`: it tells when the request was fully sent, and costs less.
 */
export class HttpSender implements Sender {
  readonly #parts: HttpSenderParts;
  /** By target, which versions share. */
  readonly #templates = new WeakMap<HttpTarget, RequestTemplate | Outcome>();
  readonly #now: () => number;

  constructor(parts: HttpSenderParts) {
    this.#parts = parts;
    this.#now = () => parts.clock.now();
  }

  /** Nothing of ours is waited for where keys are at hand and no header names a secret, which is nearly always. */
  send(delivery: Delivery, signal: StopSignal): Outcome | Promise<Outcome> {
    const { target } = delivery.version.definition;
    if (target.kind !== 'HTTP') return wrongKind(target.kind);
    const template = this.#templateOf(target.http);
    if ('kind' in template) return template;
    if (signal.aborted) return endedBySignal(signal, false);
    const needsSecrets = template.secretNames.length > 0 || template.unopened !== null;
    if (!needsSecrets) return this.#sign({ delivery, template, signal, secrets: NO_SECRETS });
    return secretsOf(this.#parts.secrets, delivery, template, signal).then((secrets) =>
      'kind' in secrets ? secrets : this.#sign({ delivery, template, signal, secrets }),
    );
  }

  #sign(posting: Posting): Outcome | Promise<Outcome> {
    const { delivery, template, signal } = posting;
    const timestampSec = Math.floor(this.#now() / 1000);
    const message = { id: delivery.runId, timestampSec, body: template.bodyOf(delivery.payload) ?? '' };
    const { sign } = this.#parts;
    if (sign === undefined) return this.#post(posting, message, null);
    const signed = signatureOf(() => sign(delivery.tenantId, message), signal);
    return signed instanceof Promise
      ? signed.then((signature) => this.#post(posting, message, signature))
      : this.#post(posting, message, signed);
  }

  #post(
    { delivery, template, signal, secrets }: Posting,
    message: SignedMessage,
    signature: Signature,
  ): Outcome | Promise<Outcome> {
    if (signal.aborted) return endedBySignal(signal, false);
    if (signature === undefined)
      return { kind: 'unanswered', attempt: 'FAILED', reason: 'the signing keys could not be read' };
    const own = template.headersWith(secrets);
    const headers = own.concat(
      headersOf(delivery, message),
      signature === null ? [] : ['webhook-signature', signature],
    );
    const exchange = new HttpExchange(signal, this.#now, (outcome) =>
      withoutValues(outcome, [...guardedValues(own), ...secrets.values()]),
    );
    const { origin, path, method } = template;
    crashPoint('deliver.before-send');
    this.#parts.egress.dispatcher.dispatch({ origin, path, method, headers, body: message.body || null }, exchange);
    return exchange.outcome;
  }

  #templateOf(http: HttpTarget): RequestTemplate | Outcome {
    const known = this.#templates.get(http);
    if (known !== undefined) return known;
    const denied = this.#parts.egress.checkUrl(http.url);
    const template = requestTemplate(http);
    let made: RequestTemplate | Outcome;
    if (denied !== null) made = { kind: 'refused', attempt: 'EGRESS_DENIED', why: 'EGRESS', reason: denied };
    else if (typeof template === 'string')
      made = { kind: 'refused', attempt: 'REFUSED', why: 'REFUSED', reason: template };
    else made = template;
    this.#templates.set(http, made);
    return made;
  }
}

/** A request on its way out: all that it is made of, but for what a clock and the keys add. */
interface Posting {
  readonly delivery: Delivery;
  readonly template: RequestTemplate;
  readonly signal: StopSignal;
  readonly secrets: ReadonlyMap<string, string>;
}

/** Null: the tenant has no key. Undefined: the keys cannot be read now, or the signal aborted. */
type Signature = string | null | undefined;

function headersOf(delivery: Delivery, { id, timestampSec }: SignedMessage): string[] {
  const own = ['webhook-id', id, 'webhook-timestamp', String(timestampSec), 'idempotency-key', id];
  return own.concat(deliveryHeaders(delivery, id));
}

const NO_SECRETS: ReadonlyMap<string, string> = new Map();

/** The values of the secrets that the template names, or what becomes of an attempt that lacks one: they may be put back, so it is tried again. */
async function secretsOf(
  values: SecretValues | undefined,
  { tenantId }: Delivery,
  { secretNames, unopened }: RequestTemplate,
  signal: StopSignal,
): Promise<ReadonlyMap<string, string> | Outcome> {
  const failed = (reason: string): Outcome => ({ kind: 'unanswered', attempt: 'FAILED', reason });
  if (unopened !== null) return failed(`the value of the header "${unopened.slice(0, 100)}" cannot be opened`);
  const reading = (values?.of(tenantId, secretNames) ?? Promise.resolve(NO_SECRETS)).catch(() => null);
  const found = await untilAborted(reading, signal, () => null);
  if (signal.aborted) return endedBySignal(signal, false);
  if (found === null) return failed('the secrets could not be read');
  const missing = secretNames.find((name) => !found.has(name));
  return missing === undefined ? found : failed(`there is no secret "${missing}"`);
}

function signatureOf(sign: () => ReturnType<SignMessage>, signal: StopSignal): Signature | Promise<Signature> {
  try {
    const signed = sign();
    return signed instanceof Promise ? signatureLater(signed, signal) : signed;
  } catch {
    return undefined;
  }
}

async function signatureLater(signed: Promise<string | null>, signal: StopSignal): Promise<Signature> {
  try {
    return await untilAborted<Signature>(signed, signal, () => undefined);
  } catch {
    return undefined;
  }
}
