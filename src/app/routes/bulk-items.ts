import type { Address, BulkItem, BulkOperation, BulkResult } from '../../domain/entities/bulk.ts';
import type { Caller, Role } from '../../domain/entities/caller.ts';
import type { ScheduleInput } from '../../domain/entities/schedule.ts';
import { DomainError } from '../../domain/errors.ts';
import { asScheduleId } from '../../domain/ids.ts';
import { placesOf } from '../../domain/services/bulk-refusals.ts';
import { authorize, CAPABILITIES } from '../middleware/authorize.ts';
import { parsedBy } from '../middleware/field-problems.ts';
import { PROBLEMS, type Problem, problemOf } from '../middleware/problem.ts';
import { refuseForeignTenantId } from '../middleware/tenant.ts';
import { bulkItem, type GivenItem } from './bulk.schema.ts';
import { type GivenSchedule, inputOf } from './schedule-input.ts';

/** The single operation that each kind of item is: its roles are the item's. */
const OPERATIONS = {
  CREATE: 'createSchedule',
  UPSERT: 'upsertScheduleByKey',
  DELETE: 'deleteSchedule',
  PAUSE: 'pauseSchedule',
  RESUME: 'resumeSchedule',
} as const satisfies Readonly<Record<GivenItem['op'], keyof typeof CAPABILITIES>>;

const STATUSES = { CREATED: 201, REPLACED: 200, UNCHANGED: 200, DELETED: 204, PAUSED: 200, RESUMED: 200 } as const;

interface ShownResult {
  readonly index: number;
  readonly status: number;
  readonly result: BulkResult['did'];
  readonly id: string | null;
  readonly key: string | null;
  readonly version: number | null;
  readonly problem: Problem | null;
}

/** What an item asks for, or the error that its single route would answer before it touches anything. */
export function readItem(caller: Caller, roles: readonly Role[], item: unknown): BulkItem {
  try {
    const schedule = item !== null && typeof item === 'object' && 'schedule' in item ? item.schedule : undefined;
    refuseForeignTenantId(schedule, caller.tenantId);
    const given = parsedBy(bulkItem, item);
    authorize(roles, CAPABILITIES[OPERATIONS[given.op]]);
    return operationOf(caller, given);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** What an answer says of an item. */
export function showResult(result: BulkResult, index: number, traceId: string): ShownResult {
  if (result.did !== 'REFUSED') {
    const { did, id, key, version } = result;
    return { index, status: STATUSES[did], result: did, id, key, version, problem: null };
  }
  const { code, message, problems } = result;
  const places = problems.length === 0 ? [] : placesOf(index, result);
  const problem = problemOf(code, traceId, message, places);
  return { index, status: PROBLEMS[code].status, result: 'REFUSED', id: null, key: null, version: null, problem };
}

function operationOf(caller: Caller, given: GivenItem): BulkOperation {
  switch (given.op) {
    case 'CREATE':
      return { kind: 'CREATE', input: inputOf(caller, given.schedule) };
    case 'UPSERT':
      return { kind: 'UPSERT', input: keyedInput(caller, given.schedule), ifMatch: given.ifMatch };
    case 'DELETE':
      return { kind: 'DELETE', of: addressIn(given), ifMatch: given.ifMatch };
    case 'PAUSE': {
      const { note, resumeAt, ifMatch } = given;
      return { kind: 'PAUSE', of: addressIn(given), why: { note, resumeAt }, ifMatch };
    }
    case 'RESUME':
      return { kind: 'RESUME', of: addressIn(given), missed: given.missed, ifMatch: given.ifMatch };
  }
}

function keyedInput(caller: Caller, given: GivenSchedule): ScheduleInput & { readonly key: string } {
  const { key } = given;
  if (key !== null) return { ...inputOf(caller, given), key };
  const message = 'is required: it says which schedule is created or replaced';
  throw new DomainError('VALIDATION_FAILED', `schedule.key ${message}`, [{ path: 'schedule.key', message }]);
}

function addressIn({ id, key }: { readonly id?: string | undefined; readonly key?: string | undefined }): Address {
  if ((id === undefined) === (key === undefined)) {
    const message = 'must be given, or key: one of the two';
    throw new DomainError('VALIDATION_FAILED', `id ${message}`, [{ path: 'id', message }]);
  }
  if (key !== undefined) return { key };
  const known = id === undefined ? null : asScheduleId(id);
  if (known === null) throw new DomainError('NOT_FOUND', 'no such schedule');
  return { id: known };
}
