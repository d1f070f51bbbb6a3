import type { Caller } from '../entities/caller.ts';
import { LIVE_KEYS, type SealedSigningKey } from '../entities/signing-key.ts';
import { DomainError } from '../errors.ts';
import type { Seal } from '../ports/seal.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';

/** A key as it may be told of; `keyId` is the one that seals it. */
export interface SigningKeyTold {
  readonly id: string;
  readonly keyId: string;
  readonly createdAt: string;
}

export interface SigningKeyParts {
  readonly unitOfWork: UnitOfWork;
  /** Null when no sealing key is configured; then no key is made. */
  readonly seal: Seal | null;
  readonly newId: () => string;
  /** A fresh `whsec_…` text. */
  readonly newKey: () => string;
}

/** What a tenant's callers do with the keys that sign its webhooks. */
export class SigningKeyService {
  readonly #parts: SigningKeyParts;

  constructor(parts: SigningKeyParts) {
    this.#parts = parts;
  }

  /** Newest first. */
  async list(caller: Caller): Promise<readonly SigningKeyTold[]> {
    const keys = await this.#parts.unitOfWork.forTenant(caller.tenantId, ({ signingKeys }) => signingKeys.list());
    return keys.map((key) => this.#told(key));
  }

  /** A new key in front, told this once; the one before it goes on signing too, an older one is gone. Throws SECRETS_NOT_CONFIGURED. */
  async rotate(caller: Caller): Promise<SigningKeyTold & { readonly key: string }> {
    checkReach(caller);
    const { seal, newId, newKey } = this.#parts;
    if (seal === null)
      throw new DomainError('SECRETS_NOT_CONFIGURED', 'this deployment has no key to seal secrets with (SECRETS_KEY)');
    const [id, key] = [newId(), newKey()];
    const sealed = seal.seal(key, { tenantId: caller.tenantId, name: id });
    const made = await this.#parts.unitOfWork.forTenant(caller.tenantId, async ({ signingKeys, audit, now }) => {
      const before = await signingKeys.listForChange();
      const created = { id, sealed, createdAt: new Date(now).toISOString() };
      audit.record(
        caller,
        { action: 'signing-key.created', id, after: this.#told(created) },
        ...before.slice(LIVE_KEYS - 1).map((gone) => this.#gone(gone)),
      );
      await signingKeys.save([created, ...before].slice(0, LIVE_KEYS));
      return created;
    });
    return { ...this.#told(made), key };
  }

  /** The key signs no more within half a minute: the end of a rotation, or of signing. Throws NOT_FOUND. */
  async remove(caller: Caller, id: string): Promise<void> {
    checkReach(caller);
    await this.#parts.unitOfWork.forTenant(caller.tenantId, async ({ signingKeys, audit }) => {
      const before = await signingKeys.listForChange();
      const gone = before.find((key) => key.id === id);
      if (gone === undefined) throw new DomainError('NOT_FOUND', 'no such signing key');
      audit.record(caller, this.#gone(gone));
      await signingKeys.save(before.filter((key) => key !== gone));
    });
  }

  #told({ id, sealed, createdAt }: SealedSigningKey): SigningKeyTold {
    return { id, keyId: this.#parts.seal?.keyIdOf(sealed) ?? 'unknown', createdAt };
  }

  #gone(key: SealedSigningKey) {
    return { action: 'signing-key.deleted', id: key.id, before: this.#told(key) } as const;
  }
}

/** Signing keys belong to the whole tenant. */
function checkReach({ organizationId }: Caller): void {
  if (organizationId !== null)
    throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}
