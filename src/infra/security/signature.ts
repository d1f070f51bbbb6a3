import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TenantId } from '../../domain/ids.ts';

/** What a signature covers: the message id, the instant in epoch seconds, and the body exactly as it is sent. */
export interface SignedMessage {
  readonly id: string;
  readonly timestampSec: number;
  readonly body: string;
}

const KEY_PREFIX = 'whsec_';
/** Standard Webhooks asks for 24 to 64 bytes. */
const KEY_BYTES = { least: 24, most: 64 };

/**
 * Signs as Standard Webhooks v1 (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, one
 * `v1,<base64>` for each live key of the tenant, so that a receiver may check with the old or the new one during a
 * rotation; at once where `signingKeys` answers at once. Null for a tenant without keys; rejects, or throws, as `signingKeys` does.
 */
export function createWebhookSigner(
  signingKeys: (tenantId: TenantId) => readonly string[] | Promise<readonly string[]>,
): (tenantId: TenantId, message: SignedMessage) => string | null | Promise<string | null> {
  return (tenantId, message) => {
    const keys = signingKeys(tenantId);
    return keys instanceof Promise ? keys.then((read) => signed(read, message)) : signed(keys, message);
  };
}

function signed(keys: readonly string[], message: SignedMessage): string | null {
  return keys.length === 0 ? null : signatures(keys, message);
}

/** A fresh key of 32 bytes. */
export function newSigningKey(): string {
  return KEY_PREFIX + randomBytes(32).toString('base64');
}

/** The value of `webhook-signature`; `keys` are `whsec_` and base64. Throws on a key that is neither. */
export function signatures(keys: readonly string[], message: SignedMessage): string {
  const content = `${message.id}.${message.timestampSec}.${message.body}`;
  return keys
    .map((key) => `v1,${createHmac('sha256', signingKeyBytes(key)).update(content).digest('base64')}`)
    .join(' ');
}

/**
 * True when one of the signatures in a `webhook-signature` header was made with `key`: what a receiver does, and as it
 * should, comparing in constant time. A receiver also refuses a `webhook-timestamp` more than five minutes off.
 */
export function verifySignature(key: string, message: SignedMessage, header: string): boolean {
  const expected = Buffer.from(signatures([key], message));
  return header.split(' ').some((text) => {
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** The bytes of a signing key. Throws where the text is no key of 24 to 64 bytes; the message never holds the key. */
export function signingKeyBytes(key: string): Buffer {
  const text = key.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : '';
  const bytes = Buffer.from(text, 'base64');
  const isExact = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!isExact || bytes.length < KEY_BYTES.least || bytes.length > KEY_BYTES.most) {
    throw new Error(`a signing key is ${KEY_PREFIX} and the base64 of ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes`);
  }
  return bytes;
}
