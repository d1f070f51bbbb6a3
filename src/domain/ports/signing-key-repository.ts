import type { SealedSigningKey } from '../entities/signing-key.ts';

/** The webhook signing keys of one tenant, newest first. */
export interface SigningKeyRepository {
  list(): Promise<readonly SealedSigningKey[]>;
  /** Locks them until the transaction ends. The tenant has a row from then on. */
  listForChange(): Promise<readonly SealedSigningKey[]>;
  save(keys: readonly SealedSigningKey[]): Promise<void>;
}
