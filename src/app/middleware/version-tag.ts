import { DomainError } from '../../domain/errors.ts';

const VERSION = /^(?:W\/)?"(\d{1,9})"$|^(\d{1,9})$/;

/** The `ETag` of a version. */
export function versionTag(version: number): string {
  return `"${version}"`;
}

/** The version that `If-Match` asks for: `"3"`, `W/"3"` or `3`; null for none and for `*`. Throws VALIDATION_FAILED for anything else. */
export function expectedVersion(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  const parts = VERSION.exec(ifMatch.trim());
  if (parts !== null) return Number(parts[1] ?? parts[2]);
  const message = 'must be one entity tag such as "3", or *';
  throw new DomainError('VALIDATION_FAILED', `If-Match ${message}`, [{ path: 'If-Match', message }]);
}
