import { DomainError, type FieldProblem } from '../errors.ts';

/** A piece of a text and where it stands in it, in characters from 0. */
export interface Piece {
  readonly text: string;
  readonly offset: number;
}

/** Ends the reading of a trigger. `path` is below `trigger`: `cron`, `rrule`, `every`. */
export function refuse(path: string, message: string): never {
  const problem: FieldProblem = { path: `trigger.${path}`, message };
  throw new DomainError('INVALID_TRIGGER', `${path}: ${message}`, [problem]);
}

/** As `refuse`, for a piece of a longer text: what was written, where it stands, and what would be right. */
export function refuseAt(path: string, piece: Piece, hint: string): never {
  const shown = piece.text.length > 40 ? `${piece.text.slice(0, 37)}...` : piece.text;
  refuse(path, `${JSON.stringify(shown)} at offset ${piece.offset}: ${hint}`);
}

/** The pieces between the commas. */
export function splitPiece(piece: Piece): Piece[] {
  let offset = piece.offset;
  return piece.text.split(',').map((text) => {
    const item = { text, offset };
    offset += text.length + 1;
    return item;
  });
}
