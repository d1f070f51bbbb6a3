import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import type { Seal, SealedPlace } from '../../domain/ports/seal.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^v1\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]+)$/;

/**
 * Keeps secrets unreadable at rest: AES-256-GCM with a random nonce, place and key id as additional data. One key is good
 * for 2^32 secrets (NIST SP 800-38D, random nonces).
 */
export class SecretBox implements Seal {
  readonly keyId: string;
  readonly #sealingKey: Buffer;
  readonly #keys: ReadonlyMap<string, Buffer>;

  /**
   * `keys` are base64 of 32 bytes. The first seals, all open: a key is rotated by putting the new one first, and the old
   * one goes once nothing is sealed with it. Throws on none, and on a key of another size.
   */
  constructor(keys: readonly string[]) {
    this.#keys = new Map(keys.map(readKey).map((key) => [idOf(key), key]));
    const [first] = this.#keys;
    if (first === undefined) throw new Error('a secret box needs a key');
    [this.keyId, this.#sealingKey] = first;
  }

  keyIdOf(sealed: string): string {
    return SEALED.exec(sealed)?.[1] ?? 'unknown';
  }

  /** `v1.<key id>.<base64url>`, different each time. */
  seal(secret: string, place: SealedPlace): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#sealingKey, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(this.keyId, place));
    const bytes = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${this.keyId}.${bytes.toString('base64url')}`;
  }

  open(sealed: string, place: SealedPlace): string {
    const [, id = '', text = ''] = SEALED.exec(sealed) ?? [];
    const key = this.#keys.get(id);
    if (key === undefined) throw new Error(`the secret "${place.name}" was sealed with a key that is not configured`);
    return opened(key, Buffer.from(text, 'base64url'), additionalData(id, place), place.name);
  }
}

function opened(key: Buffer, bytes: Buffer, aad: Buffer, name: string): string {
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(aad);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const secret = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([secret, decipher.final()]).toString('utf8');
  } catch {
    throw new Error(`the secret "${name}" cannot be opened: it was changed, or sealed for another place`);
  }
}

/** Unambiguous: JSON quotes what a name may hold. */
function additionalData(keyId: string, place: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(['v1', keyId, place.tenantId, place.name]));
}

function readKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES || key.toString('base64').replace(/=+$/, '') !== text.trim().replace(/=+$/, '')) {
    throw new Error(`a secret key is the base64 of ${KEY_BYTES} bytes (openssl rand -base64 32)`);
  }
  return key;
}

/** Eight characters of the key's hash: says which key without saying anything of it. */
function idOf(key: Buffer): string {
  return hash('sha256', key, 'base64url').slice(0, 8);
}
