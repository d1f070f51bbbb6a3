import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../../domain/entities/json.ts';
import { DomainError } from '../../domain/errors.ts';

const CURSOR = /^([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/;

/** Places in lists, as clients carry them from page to page: readable only together with the very list they were made for. */
export class Cursors {
  readonly #key: string | Buffer;

  constructor(key: string | Buffer) {
    this.#key = key;
  }

  /** `list` names all that must not change between pages: operation, tenant, filters, sort. */
  write(list: unknown, position: unknown): string {
    const text = Buffer.from(JSON.stringify(position)).toString('base64url');
    return `${text}.${this.#sign(list, text)}`;
  }

  /** The position. Throws VALIDATION_FAILED for a cursor that was changed or belongs to another list. */
  read(list: unknown, cursor: string): unknown {
    const [, text = '', signature = ''] = CURSOR.exec(cursor) ?? [];
    const given = Buffer.from(signature);
    const right = Buffer.from(this.#sign(list, text));
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      const message = 'does not belong to this list: take nextCursor as it came, with the same filters';
      throw new DomainError('VALIDATION_FAILED', `cursor ${message}`, [{ path: 'cursor', message }]);
    }
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  }

  #sign(list: unknown, text: string): string {
    return createHmac('sha256', this.#key)
      .update(`${canonicalJson(list)}\n${text}`)
      .digest('base64url');
  }
}
