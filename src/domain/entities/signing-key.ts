/** A webhook signing key as its tenant's row holds it. `createdAt` is RFC 3339. */
export interface SealedSigningKey {
  readonly id: string;
  readonly sealed: string;
  readonly createdAt: string;
}

/** While a rotation lasts, receivers may still hold the key before. */
export const LIVE_KEYS = 2;
