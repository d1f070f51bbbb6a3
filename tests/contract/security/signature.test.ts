import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signatures, verifySignature } from '../../../src/infra/security/signature.ts';

function aKey(bytes = 32): string {
  return `whsec_${randomBytes(bytes).toString('base64')}`;
}

const message = { id: 'run-1', timestampSec: 1_774_746_001, body: '{"report":"daily"}' };

test('the reference implementation signs the same', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9a-v]{42}$/),
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 24, max: 64 }),
      (id, body, size) => {
        const key = aKey(size);
        expect(signatures([key], { ...message, id, body })).toBe(
          new Webhook(key).sign(id, new Date(message.timestampSec * 1000), body),
        );
      },
    ),
  );
});

test('during a rotation a receiver may hold the old key or the new one', () => {
  const [newKey, oldKey, otherKey] = [aKey(), aKey(), aKey()];
  const signature = signatures([newKey, oldKey], message);
  expect([newKey, oldKey, otherKey].map((key) => verifySignature(key, message, signature))).toEqual([
    true,
    true,
    false,
  ]);
});

test.each([
  ['id', { id: 'run-2' }],
  ['instant', { timestampSec: 1_774_746_002 }],
  ['body', { body: '{"report": "daily"}' }],
])('another %s has another signature', (_what, change) => {
  const key = aKey();
  expect(verifySignature(key, { ...message, ...change }, signatures([key], message))).toBe(false);
});

test.each(['', 'v1', 'v1,', 'v2,AAAA', 'v1,AAAA', 'words', ','])('%j is no signature', (text) => {
  expect(verifySignature(aKey(), message, text)).toBe(false);
});

test.each(['', 'whsec_', 'whsec_short', `whsec_${'A'.repeat(200)}`, randomBytes(32).toString('base64'), 'whsec_####'])(
  '%j is no key, and not told',
  (key) => {
    expect(() => signatures([key], message)).toThrow('a signing key is whsec_ and the base64 of 24 to 64 bytes');
  },
);
