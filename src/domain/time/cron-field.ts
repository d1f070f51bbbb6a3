import { type Piece, refuseAt, splitPiece } from './refuse.ts';

/** What a field of a cron expression may hold. */
export interface Field {
  readonly name: string;
  readonly days?: true;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTH_NAMES: readonly string[] = [
  'JAN',
  'FEB',
  'MAR',
  'APR',
  'MAY',
  'JUN',
  'JUL',
  'AUG',
  'SEP',
  'OCT',
  'NOV',
  'DEC',
];
const WEEKDAY_NAMES: readonly string[] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
export const SECOND: Field = { name: 'second', min: 0, max: 59, names: [] };
export const MINUTE: Field = { name: 'minute', min: 0, max: 59, names: [] };
export const HOUR: Field = { name: 'hour', min: 0, max: 23, names: [] };
export const MONTH_DAY: Field = { name: 'day of month', days: true, min: 1, max: 31, names: [] };
export const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTH_NAMES };
export const WEEKDAY: Field = { name: 'day of week', days: true, min: 0, max: 7, names: WEEKDAY_NAMES };

/** Every value that a field without `L`, `W` or `#` means. Throws DomainError INVALID_TRIGGER, as all here. */
export function valuesOf(piece: Piece, field: Field): readonly number[] {
  return itemsOf(piece).flatMap((item) => rangeOf(item, field));
}

/** The items of the field's list. */
export function itemsOf(piece: Piece): Piece[] {
  const items = splitPiece(piece);
  for (const item of items) {
    if (item.text === '') refuseAt('cron', piece, `nothing between the commas at offset ${item.offset}`);
    if (items.length > 1 && (item.text === '*' || item.text === '?')) {
      refuseAt('cron', item, 'stands for every value: leave the rest of the list out');
    }
  }
  return items;
}

/** The values of a star, `5` or `1-5`, and of these with a step; `5/15` runs from 5 to the field's end. */
export function rangeOf(item: Piece, field: Field): number[] {
  const [range = '', step, more] = item.text.split('/');
  if (more !== undefined) refuseAt('cron', item, 'one step is enough');
  const span: Piece = { text: range, offset: item.offset };
  const [low, high] =
    range === '*' || range === '?' ? [field.min, fullMax(field)] : boundsOf(span, step !== undefined, field);
  const every = step === undefined ? 1 : stepOf({ text: step, offset: item.offset + range.length + 1 }, field);
  const values: number[] = [];
  for (let value = low; value <= high; value += every) values.push(value);
  return values;
}

/** One number or name. */
export function numberOf(piece: Piece, field: Field): number {
  const byName = field.names.indexOf(piece.text.toUpperCase());
  if (byName >= 0) return byName + field.min;
  const value = /^\d{1,4}$/.test(piece.text) ? Number(piece.text) : -1;
  if (value < field.min || value > field.max) {
    refuseAt('cron', piece, `the ${field.name} ${valid(field)}${hintFor(piece.text, field)}`);
  }
  return value;
}

function boundsOf(span: Piece, stepped: boolean, field: Field): [number, number] {
  const dash = span.text.indexOf('-');
  if (dash < 0) {
    const low = numberOf(span, field);
    return [low, stepped ? Math.max(low, fullMax(field)) : low];
  }
  const low = numberOf({ text: span.text.slice(0, dash), offset: span.offset }, field);
  const high = numberOf({ text: span.text.slice(dash + 1), offset: span.offset + dash + 1 }, field);
  if (low > high) refuseAt('cron', span, `a range may not wrap around: write ${unrolled(low, high, field)}`);
  return [low, high];
}

/** Sunday has two numbers; every day of the week ends with Saturday. */
function fullMax(field: Field): number {
  return field.max === 7 ? 6 : field.max;
}

function unrolled(low: number, high: number, field: Field): string {
  const values: number[] = [];
  for (let value = low; value <= fullMax(field); value++) values.push(value);
  for (let value = field.min; value <= high; value++) values.push(value);
  if (field.names.length > 0) return values.map((value) => field.names[value - field.min] ?? value).join(',');
  return `${low}-${field.max},${field.min}-${high}`;
}

function stepOf(piece: Piece, field: Field): number {
  const width = fullMax(field) - field.min + 1;
  const step = /^\d{1,4}$/.test(piece.text) ? Number(piece.text) : 0;
  if (step < 1 || step > width) refuseAt('cron', piece, `a step of the ${field.name} is a number from 1 to ${width}`);
  return step;
}

function valid(field: Field): string {
  const numbers = `runs from ${field.min} to ${field.max}`;
  return field.names.length === 0 ? numbers : `${numbers} or ${field.names[0]} to ${field.names.at(-1)}`;
}

function hintFor(text: string, field: Field): string {
  if (/^H(?:\(|$)/i.test(text)) return '; H is not supported, use the jitter of the schedule to spread the load';
  if (text === '?' || text === '*') return `; ${text} stands alone`;
  if (!/^L|[LW#]/i.test(text)) return '';
  return field.days ? '; L, W and # stand with a single day' : '; L, W and # belong to the days';
}
