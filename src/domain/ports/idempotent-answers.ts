import type { BulkResult } from '../entities/bulk.ts';

/** What an earlier request with the same idempotency key was answered. */
export interface IdempotentAnswer {
  readonly bulk?: readonly BulkResult[];
  /** The id of the redrive that was made. */
  readonly redrive?: string;
}

/** One tenant's answers to requests that carried an idempotency key; kept for 24 hours. */
export interface IdempotentAnswers {
  /**
   * Takes the key for this request, after waiting for another that is under way with it. Answers what that one, or an earlier
   * one, was answered; null where this is the first. Throws IDEMPOTENCY_MISMATCH for a key of another request.
   */
  begin(key: string, requestHash: string): Promise<IdempotentAnswer | null>;
  /** Keeps the answer to the request that took the key in this transaction. */
  finish(key: string, answer: IdempotentAnswer): Promise<void>;
}
