import type { CalendarState } from './calendar.ts';
import { type JsonValue, sameJson } from './json.ts';
import type { ScheduleState } from './schedule.ts';
import { MASK, maskedValue } from './secret.ts';

/** What was done to what: `schedule.paused`, `secret.replaced`. The part before the dot is the kind of thing. */
export type AuditAction = `${string}.${string}`;

/** One change as its use case tells it. `before` and `after`: null where there was, or is, nothing. Values of headers are masked by the trail, other secrets do not belong here. */
export interface AuditedChange {
  readonly action: AuditAction;
  /** Of the thing: a schedule's id, a calendar's name. */
  readonly id: string;
  /** Whose thing it is, where it belongs to an organization of the tenant: others of the tenant's do not see the entry. */
  readonly organizationId?: string | null | undefined;
  readonly before?: object | null | undefined;
  readonly after?: object | null | undefined;
}

export type AuditedFields = { readonly [name: string]: JsonValue };

/** One change as the trail keeps it. */
export interface AuditEntry {
  readonly id: string;
  readonly at: Date;
  readonly subject: string;
  readonly action: AuditAction;
  readonly kind: string;
  readonly resourceId: string;
  readonly before: AuditedFields | null;
  readonly after: AuditedFields | null;
  /** Of the request; null for what the service did by itself. */
  readonly traceId: string | null;
}

/** A field by its name, which needs no escapes in JSON. */
type Field = readonly [name: string, value: unknown];

/** Of one field, and of all fields of one side, as JSON text. */
const LONGEST_FIELD = 2_048;
const LONGEST_SIDE = 16_384;

/**
 * What the trail keeps of a change, as JSON objects: all fields of what came or went, the fields that differ of what changed. Long
 * ones are left out, and say so.
 */
export function auditedDifference(
  before: object | null | undefined,
  after: object | null | undefined,
): { readonly before: string | null; readonly after: string | null } {
  const [old, next] = [fieldsOf(before), fieldsOf(after)];
  if (old === null || next === null) return { before: old && told(old), after: next && told(next) };
  const [oldValues, nextValues] = [new Map(old), new Map(next)];
  return {
    before: told(old.filter(([name, value]) => !sameJson(value, nextValues.get(name)))),
    after: told(next.filter(([name, value]) => !sameJson(value, oldValues.get(name)))),
  };
}

/** A schedule as the trail tells of it: without what follows from the rest. */
export function auditedSchedule(state: ScheduleState): object {
  const { id, tenantId, excluded, definitionVersion, createdAt, updatedAt, createdBy, ...told } = state;
  return told;
}

/** A calendar as the trail tells of it. */
export function auditedCalendar(state: CalendarState): object {
  const { name, tenantId, icalDays, revision, createdAt, updatedAt, createdBy, ...told } = state;
  return told;
}

function fieldsOf(side: object | null | undefined): readonly Field[] | null {
  if (side === null || side === undefined) return null;
  return Object.entries(side).filter(([, value]) => value !== undefined);
}

function told(fields: readonly Field[]): string {
  let room = LONGEST_SIDE;
  let members = '';
  for (const [name, value] of fields) {
    const text = JSON.stringify(value);
    const isKept = text.length <= Math.min(LONGEST_FIELD, room);
    if (isKept) room -= text.length;
    members += `${members === '' ? '' : ','}"${name}":${isKept ? masked(text) : `"(left out: ${text.length} characters)"`}`;
  }
  return `{${members}}`;
}

/** The members of `headers`, at whatever depth, without their values. Masked after the comparison, so that a field whose header changed is told. */
function masked(text: string): string {
  return text.includes('"headers":') ? JSON.stringify(withoutHeaders('', JSON.parse(text))) : text;
}

function withoutHeaders(name: string, value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object' || isList(value)) return value;
  const mask = name === 'headers' ? maskedHeader : withoutHeaders;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mask(key, inner)]));
}

function maskedHeader(_name: string, value: JsonValue): JsonValue {
  return typeof value === 'string' ? maskedValue(value) : MASK;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
