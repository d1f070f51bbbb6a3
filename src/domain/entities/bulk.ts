import type { DomainError, ErrorCode, FieldProblem } from '../errors.ts';
import type { ScheduleId } from '../ids.ts';
import type { MissedChoice, ScheduleInput } from './schedule.ts';

/** A schedule by its id or by its own key. */
export type Address = { readonly id: ScheduleId } | { readonly key: string };

/** A schedule and the version its caller believes it has; null: whatever it is. */
interface Addressed {
  readonly of: Address;
  readonly ifMatch: number | null;
}

/** One operation of many: what the single routes do, by the same rules. */
export type BulkOperation =
  | { readonly kind: 'CREATE'; readonly input: ScheduleInput }
  | {
      readonly kind: 'UPSERT';
      readonly input: ScheduleInput & { readonly key: string };
      readonly ifMatch: number | null;
    }
  | (Addressed & { readonly kind: 'DELETE' })
  | (Addressed & {
      readonly kind: 'PAUSE';
      readonly why: { readonly note: string | null; readonly resumeAt: string | null };
    })
  | (Addressed & { readonly kind: 'RESUME'; readonly missed: MissedChoice });

/** An item as it arrived: an operation, or why it is none that its caller may ask for. */
export type BulkItem = BulkOperation | DomainError;

export type BulkDeed = 'CREATED' | 'REPLACED' | 'UNCHANGED' | 'DELETED' | 'PAUSED' | 'RESUMED';

/** What became of one item; JSON-native, as it is kept for the request's repetition. */
export type BulkResult =
  | {
      readonly did: BulkDeed;
      readonly id: ScheduleId;
      readonly key: string | null;
      readonly version: number;
    }
  | {
      readonly did: 'REFUSED';
      readonly code: ErrorCode;
      readonly message: string;
      readonly problems: readonly FieldProblem[];
    };

/** The schedule that an operation names; null for a create without a key, which names none yet. */
export function addressOf(operation: BulkOperation): Address | null {
  switch (operation.kind) {
    case 'CREATE':
      return operation.input.key === null ? null : { key: operation.input.key };
    case 'UPSERT':
      return { key: operation.input.key };
    case 'DELETE':
    case 'PAUSE':
    case 'RESUME':
      return operation.of;
  }
}
