import type { Dispatcher } from 'undici';
import { crashPoint } from '#crash-point';
import type { Outcome } from '../../domain/entities/run.ts';
import type { HttpTarget } from '../../domain/entities/target.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { SecretValues } from '../../domain/ports/secret-repository.ts';
import type { Delivery, Sender } from '../../domain/ports/sender.ts';
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

  constructor(parts: HttpSenderParts) {
    this.#parts = parts;
  }

  async send(delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
    const { target } = delivery.version.definition;
    if (target.kind !== 'HTTP') return wrongKind(target.kind);
    const template = this.#templateOf(target.http);
    if ('kind' in template) return template;
    if (signal.aborted) return endedBySignal(signal, false);
    const needsSecrets = template.secretNames.length > 0 || template.unopened !== null;
    const secrets = needsSecrets ? await secretsOf(this.#parts.secrets, delivery, template, signal) : NO_SECRETS;
    if ('kind' in secrets) return secrets;
    const message = this.#messageOf(delivery, template);
    const own = template.headersWith(secrets);
    const headers = headersOf(delivery, own, message);
    const { sign } = this.#parts;
    if (sign !== undefined) {
      const signed = signatureOf(() => sign(delivery.tenantId, message), signal);
      const signature = signed instanceof Promise ? await signed : signed;
      if (signal.aborted) return endedBySignal(signal, false);
      if (signature === undefined)
        return { kind: 'unanswered', attempt: 'FAILED', reason: 'the signing keys could not be read' };
      if (signature !== null) headers.push('webhook-signature', signature);
    }
    const exchange = new HttpExchange(signal, () => this.#parts.clock.now());
    const { origin, path, method } = template;
    crashPoint('deliver.before-send');
    this.#parts.egress.dispatcher.dispatch({ origin, path, method, headers, body: message.body || null }, exchange);
    const outcome = await exchange.outcome;
    return outcome.kind === 'accepted' ? outcome : withoutValues(outcome, [...guardedValues(own), ...secrets.values()]);
  }

  #messageOf(delivery: Delivery, template: RequestTemplate): SignedMessage {
    return {
      id: delivery.runId,
      timestampSec: Math.floor(this.#parts.clock.now() / 1000),
      body: template.bodyOf(delivery.payload) ?? '',
    };
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

function headersOf(delivery: Delivery, own: readonly string[], message: SignedMessage): string[] {
  return [
    ...own,
    'webhook-id',
    message.id,
    'webhook-timestamp',
    String(message.timestampSec),
    'idempotency-key',
    message.id,
    ...deliveryHeaders(delivery, message.id),
  ];
}

const NO_SECRETS: ReadonlyMap<string, string> = new Map();

/** The values of the secrets that the template names, or what becomes of an attempt that lacks one: they may be put back, so it is tried again. */
async function secretsOf(
  values: SecretValues | undefined,
  { tenantId }: Delivery,
  { secretNames, unopened }: RequestTemplate,
  signal: AbortSignal,
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

/** Undefined: the keys cannot be read now, or the signal aborted. */
function signatureOf(sign: () => ReturnType<SignMessage>, signal: AbortSignal): MaybeLater<string | null | undefined> {
  try {
    const signed = sign();
    return signed instanceof Promise ? signatureLater(signed, signal) : signed;
  } catch {
    return undefined;
  }
}

type MaybeLater<T> = T | Promise<T>;

async function signatureLater(signed: Promise<string | null>, signal: AbortSignal): Promise<string | null | undefined> {
  try {
    return await untilAborted<string | null | undefined>(signed, signal, () => undefined);
  } catch {
    return undefined;
  }
}
