import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SecretBox } from '../../../src/infra/security/secret-box.ts';

const oldKey = randomBytes(32).toString('base64');
const newKey = randomBytes(32).toString('base64');
const place = { tenantId: 'tenant-123', name: 'api-key' };

test('whatever is sealed opens as it was, and shows nothing of itself', () => {
  const box = new SecretBox([oldKey]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 4 }), (secret) => {
      const sealed = box.seal(secret, place);
      expect(box.open(sealed, place)).toBe(secret);
      expect(Buffer.from(sealed).includes(secret)).toBe(false);
    }),
  );
});

test('the same secret is sealed differently each time', () => {
  const box = new SecretBox([oldKey]);
  expect(box.seal('word', place)).not.toBe(box.seal('word', place));
});

test.each([
  ['another tenant', { ...place, tenantId: 'tenant-124' }],
  ['another name', { ...place, name: 'api-key-2' }],
  ['a tenant and name that run together the same', { tenantId: 'tenant-123a', name: 'pi-key' }],
])('it opens for no other place: %s', (_what, other) => {
  const box = new SecretBox([oldKey]);
  const sealed = box.seal('word', place);
  expect(() => box.open(sealed, other)).toThrow('was changed, or sealed for another place');
});

test('one changed bit anywhere is noticed', () => {
  const box = new SecretBox([oldKey]);
  const [version, id, text = ''] = box.seal('word', place).split('.');
  const bytes = Buffer.from(text, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => box.open(`${version}.${id}.${changed.toString('base64url')}`, place)).toThrow('was changed');
  }
});

test('a shortened seal is no seal: the tag is always sixteen bytes', () => {
  const box = new SecretBox([oldKey]);
  const sealed = box.seal('', place);
  for (const cut of [1, 4, 16, 20]) expect(() => box.open(sealed.slice(0, -cut), place)).toThrow('secret "api-key"');
});

test('a key is rotated without losing what the old one sealed', () => {
  const before = new SecretBox([oldKey]);
  const sealedBefore = before.seal('word', place);
  const during = new SecretBox([newKey, oldKey]);
  expect(during.open(sealedBefore, place)).toBe('word');
  const sealedAgain = during.seal('word', place);
  expect(sealedAgain).toContain(`.${during.keyId}.`);
  const after = new SecretBox([newKey]);
  expect(after.open(sealedAgain, place)).toBe('word');
  expect(() => after.open(sealedBefore, place)).toThrow('sealed with a key that is not configured');
});

test.each(['', 'words', 'v2.aaaaaaaa.bbbb', 'v1.aaaaaaaa.', 'v1.aaaaaaaa.####'])('%j is no seal', (text) => {
  expect(() => new SecretBox([oldKey]).open(text, place)).toThrow('secret "api-key"');
});

test.each([[[]], [['']], [['short']], [[randomBytes(16).toString('base64')]], [[`${oldKey}!`]], [[oldKey, 'short']]])(
  'the keys %j are a mistake, and not told',
  (keys) => {
    expect(() => new SecretBox(keys)).toThrow(/^a secret (box needs a key|key is the base64 of 32 bytes)/);
  },
);
