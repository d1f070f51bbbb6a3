import { DomainError } from '../../domain/errors.ts';

const MANY_DIGITS = /\d{16}/;
const WHOLE_NUMBER = /^-?\d+$/;
const MAX_SHOWN = 40;
const [QUOTE, BACKSLASH, COLON] = ['"', '\\', ':'].map((sign) => sign.charCodeAt(0));

/**
 * Refuses a JSON text of which `value`, parsed from it, has lost something: the earlier of two members of one name, or
 * digits of a whole number beyond 2^53. `value` is nested no deeper than is safe to walk. Throws VALIDATION_FAILED.
 */
export function refuseLoss(text: string, value: object): void {
  if (membersWritten(text) !== membersIn(value)) throw refused('an object of the body names a field twice');
  if (MANY_DIGITS.test(text)) JSON.parse(text, refuseRounded);
}

/** Each member that is written has one colon outside of strings. */
function membersWritten(text: string): number {
  let members = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) isInString = !isInString;
    else if (code === BACKSLASH) at += 1;
    else if (code === COLON && !isInString) members += 1;
  }
  return members;
}

function membersIn(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let members = Array.isArray(value) ? 0 : inner.length;
  for (const item of inner) members += membersIn(item);
  return members;
}

function refuseRounded(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isRounded =
    typeof value === 'number' &&
    source !== undefined &&
    WHOLE_NUMBER.test(source) &&
    !Number.isSafeInteger(value) &&
    BigInt(source) !== BigInt(value);
  if (isRounded) throw refused(`the number ${source.slice(0, MAX_SHOWN)} would lose digits: send it as text`);
  return value;
}

function refused(message: string): DomainError {
  return new DomainError('VALIDATION_FAILED', message);
}
