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

/** Of one field, and of all fields of one side, as JSON text. */
const LONGEST_FIELD = 2_048;
const LONGEST_SIDE = 16_384;

/** What the trail keeps of a change: all fields of what came or went, the fields that differ of what changed. Long ones are left out, and say so. */
export function auditedDifference(
  before: object | null | undefined,
  after: object | null | undefined,
): { readonly before: AuditedFields | null; readonly after: AuditedFields | null } {
  const [old, next] = [fieldsOf(before), fieldsOf(after)];
  if (old === null || next === null) return { before: old && bounded(old), after: next && bounded(next) };
  const differs = ([name, value]: [string, JsonValue], other: AuditedFields) => !sameJson(value, other[name]);
  const changedIn = (side: AuditedFields, other: AuditedFields) =>
    Object.fromEntries(Object.entries(side).filter((field) => differs(field, other)));
  return { before: bounded(changedIn(old, next)), after: bounded(changedIn(next, old)) };
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

function fieldsOf(side: object | null | undefined): AuditedFields | null {
  if (side === null || side === undefined) return null;
  const told = Object.entries(side).filter(([, value]) => value !== undefined);
  return Object.fromEntries(told.map(([name, value]) => [name, asJson(value)]));
}

/** What JSON makes of a value; most are what they become. */
function asJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  const become: JsonValue = JSON.parse(JSON.stringify(value));
  return become;
}

function bounded(fields: AuditedFields): AuditedFields {
  let room = LONGEST_SIDE;
  const kept = Object.entries(fields).map(([name, value]): [string, JsonValue] => {
    const length = value === null ? 4 : JSON.stringify(value).length;
    if (length > Math.min(LONGEST_FIELD, room)) return [name, `(left out: ${length} characters)`];
    room -= length;
    return [name, masked(name, value)];
  });
  return Object.fromEntries(kept);
}

/** The members of `headers`, at whatever depth, without their values. Masked after the comparison, so that a field whose header changed is told. */
function masked(name: string, value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object' || isList(value)) return value;
  const mask = name === 'headers' ? maskedHeader : masked;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mask(key, inner)]));
}

function maskedHeader(_name: string, value: JsonValue): JsonValue {
  return typeof value === 'string' ? maskedValue(value) : MASK;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
