import type { TenantId } from '../ids.ts';

/** A secret as its row holds it: the value only sealed. */
export interface SecretState {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly sealed: string;
  /** Of the key that sealed it. */
  readonly keyId: string;
  /** Bumped by every new value; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: string;
  readonly updatedBy: string;
}

/** What names of secrets look like. */
export const SECRET_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
/** Of one tenant. */
export const MOST_SECRETS = 500;
/** Shorter ones could not be told from ordinary words in an answer, and taken out of it. */
export const SHORTEST_SECRET = 8;
export const LONGEST_SECRET = 4_096;
/** In the header values of one target, counted as often as they are named. */
export const MOST_REFERENCES = 10;

/** Stands for a value wherever it is told of: values may be credentials, so none ever leaves. */
export const MASK = '********';

const BEGINNING = '{{secret:';
const REFERENCE = /\{\{secret:([A-Za-z][A-Za-z0-9_.-]{0,99})\}\}/g;

/** True for a header value that refers to a secret: a template, which holds none itself. */
export function isTemplate(value: string): boolean {
  return value.includes(BEGINNING);
}

/** The names a header value refers to, as often as it does; null where a reference has no right form. */
export function secretNamesIn(value: string): readonly string[] | null {
  const names = [...value.matchAll(REFERENCE)].map(([, name = '']) => name);
  return names.length === value.split(BEGINNING).length - 1 ? names : null;
}

/** The header value with each secret in place of its reference. What a secret holds is not looked through again. */
export function rendered(template: string, secrets: ReadonlyMap<string, string>): string {
  return template.replace(REFERENCE, (reference, name: string) => secrets.get(name) ?? reference);
}

/** A header value as it may be told: a template as it is, all else masked. */
export function maskedValue(value: string): string {
  return isTemplate(value) ? value : MASK;
}

const SEALED = /^\{\{sealed:([^{}]+)\}\}$/;

/** What a header value is stored as: the API takes none of this form. */
export function asSealed(sealed: string): string {
  return `{{sealed:${sealed}}}`;
}

/** The sealed text of a header value as it is stored; null for one that is not sealed. */
export function sealedIn(value: string): string | null {
  return SEALED.exec(value)?.[1] ?? null;
}
