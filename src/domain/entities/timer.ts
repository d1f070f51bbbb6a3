import { neverReached } from '../never.ts';
import type { OverlapPolicy } from './definition.ts';

/**
 * A schedule's next due slot, as the hot `timers` row holds it. All instants are epoch milliseconds.
 * `due` is `Infinity` while the schedule waits for a run to end: a FIXED_DELAY chain, or the last slot of a finite trigger.
 */
export interface TimerState {
  readonly slot: number;
  readonly due: number;
  /** No slot at or before it is ever created again. */
  readonly cursor: number;
  /** The last slot that became a run; null before the first. */
  readonly lastFired: number | null;
  readonly fires: number;
  /** A person asked that this slot becomes no run; a pause forgets it. */
  readonly skipNext?: boolean | undefined;
  /** Of a schedule that is not ACTIVE and waits: the run at `lastFired` is open, so a resume waits for it too. */
  readonly isRunOpen?: boolean | undefined;
}

/** What is known of the run at `lastFired`: none or ended, in flight, or waiting in the buffer. */
export type PreviousRun = 'ENDED' | 'OPEN' | 'BUFFERED';

/** A slot that becomes a run. `BUFFER`: it waits until the run before it ends; `CANCEL_OTHER`: that run is cancelled first. */
export interface FiredSlot {
  readonly slot: number;
  readonly due: number;
  readonly cause: 'SCHEDULE' | 'CATCH_UP';
  readonly start: 'NOW' | 'BUFFER' | 'CANCEL_OTHER';
}

/** A stretch of slots that became no run; `count` is null past the bound of exact counting. */
export interface SkippedSlots {
  readonly from: number;
  readonly to: number;
  readonly count: number | null;
  readonly reason: 'OVERLAP' | 'MISFIRE' | 'PAUSED' | 'BY_USER' | 'CALENDAR' | 'QUOTA';
}

/** The fate of a due slot and what its timer becomes. `COMPLETED`: no slot will come and no run is open; `disabled`: why none can be computed. */
export interface FireDecision {
  readonly fired: FiredSlot | null;
  readonly skipped: SkippedSlots | null;
  readonly next: TimerState | 'COMPLETED' | { readonly disabled: string };
}

/** Whether the slot becomes a run of the claim that has found it due. A claim names these in the order of its decisions. */
export function startsNow(fired: FireDecision['fired']): fired is FiredSlot {
  return fired !== null && fired.start !== 'BUFFER';
}

/** How a slot starts beside the run before it; null: it does not (OVERLAP). */
export function startBeside(previous: PreviousRun, policy: OverlapPolicy): FiredSlot['start'] | null {
  if (previous === 'ENDED') return 'NOW';
  switch (policy) {
    case 'ALLOW_ALL':
      return 'NOW';
    case 'CANCEL_OTHER':
      return 'CANCEL_OTHER';
    case 'BUFFER_ALL':
      return 'BUFFER';
    case 'BUFFER_ONE':
      return previous === 'BUFFERED' ? null : 'BUFFER';
    case 'SKIP':
      return null;
    default:
      return neverReached(policy);
  }
}

/** The policy for a slot whose date gathers slots of several dates: each of them fires, one after the other. */
export function overlapAmong(policy: OverlapPolicy, isShared: boolean): OverlapPolicy {
  return isShared && (policy === 'SKIP' || policy === 'BUFFER_ONE') ? 'BUFFER_ALL' : policy;
}

/** What the end of a run may do to its schedule's timer. */
export interface EndOfRunRule {
  /** FIXED_DELAY: from the end of a run to the next slot; else null. */
  readonly delayMs: number | null;
  readonly endAt: number | null;
  readonly maxFires: number | null;
}

/** The timer once the run at `slot` has ended at `endedAt`; null when it does not wait for this run. */
export function timerAfterRun(
  timer: TimerState,
  rule: EndOfRunRule,
  slot: number,
  endedAt: number,
): TimerState | 'COMPLETED' | null {
  if (timer.due !== Number.POSITIVE_INFINITY || timer.lastFired !== slot) return null;
  if (rule.delayMs === null) return 'COMPLETED';
  const next = Math.max(endedAt, timer.cursor) + rule.delayMs;
  const isOpen = (rule.endAt === null || next <= rule.endAt) && (rule.maxFires === null || timer.fires < rule.maxFires);
  return isOpen ? { ...timer, slot: next, due: next } : 'COMPLETED';
}
