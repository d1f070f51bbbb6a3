/** What a sealed text belongs to: it opens under no other tenant or name. */
export interface SealedPlace {
  readonly tenantId: string;
  readonly name: string;
}

/** Keeps secrets unreadable at rest. */
export interface Seal {
  /** The id of the key that seals now: a text that names another waits to be sealed again. */
  readonly keyId: string;
  /** The id of the key a text was sealed with. */
  keyIdOf(sealed: string): string;
  seal(plain: string, place: SealedPlace): string;
  /** Throws when the text was changed, sealed for another place, or with a key that is not here. */
  open(sealed: string, place: SealedPlace): string;
}
