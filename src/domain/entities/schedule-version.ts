import type { ScheduleId, TenantId } from '../ids.ts';
import { type CompiledTrigger, compileTrigger, nextSlot, nextSlotMarked, slotsBetween } from '../time/compile.ts';
import { durationMs } from '../time/duration.ts';
import { jitterMs } from '../time/jitter.ts';
import type { ScheduleDefinition } from './definition.ts';
import { endOfRunMatters } from './definition-rules.ts';
import { COUNT_CAP, lastBefore, latestSlots } from './latest-slots.ts';
import {
  type FireDecision,
  type FiredSlot,
  type PreviousRun,
  type SkippedSlots,
  startBeside,
  type TimerState,
} from './timer.ts';

export interface VersionKey {
  readonly scheduleId: ScheduleId;
  readonly version: number;
}

/** A schedule's definition at one version, compiled: decides the fate of due slots. Pure; every instant is a parameter. */
export class ScheduleVersion {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly version: number;
  readonly definition: ScheduleDefinition;
  readonly #compiled: CompiledTrigger;
  readonly #jitterMs: number;

  /** Throws DomainError INVALID_TRIGGER. */
  constructor(of: VersionKey & { readonly tenantId: TenantId }, definition: ScheduleDefinition) {
    this.scheduleId = of.scheduleId;
    this.tenantId = of.tenantId;
    this.version = of.version;
    this.definition = definition;
    this.#compiled = compileTrigger(definition.trigger, { tz: definition.tz, dst: definition.dst });
    this.#jitterMs = definition.jitter === null ? 0 : (durationMs(definition.jitter) ?? 0);
  }

  /** Milliseconds from the end of a run to the next slot, for FIXED_DELAY; else null. */
  get delayMs(): number | null {
    const { trigger } = this.definition;
    return trigger.type === 'FIXED_DELAY' ? trigger.delaySec * 1000 : null;
  }

  /** True when the end of a run may move the timer or the schedule: a chain, a buffer, or a trigger that ends. */
  get endOfRunMatters(): boolean {
    return endOfRunMatters(this.definition);
  }

  /** The timer of a schedule whose slots begin after `after`; null when none will come. Keeps what `before` has counted. */
  firstTimer(after: number, before?: Pick<TimerState, 'cursor' | 'lastFired' | 'fires'>): TimerState | null {
    const { startAt } = this.definition;
    const fires = before?.fires ?? 0;
    const cursor = Math.max(before?.cursor ?? 0, 0);
    const lower = Math.max(after, cursor);
    let slot: number | null;
    if (startAt !== null && startAt.getTime() > lower) {
      slot = this.delayMs === null ? nextSlot(this.#compiled, startAt.getTime() - 1) : startAt.getTime();
    } else {
      slot = nextSlot(this.#compiled, lower);
    }
    if (slot === null || !this.#isOpenAt(slot, fires)) return null;
    return { slot, due: this.dueOf(slot), cursor, lastFired: before?.lastFired ?? null, fires };
  }

  /** The fate of the timer's slot at `now` (database time), when it is due. */
  fire(timer: TimerState, now: number, previous: PreviousRun): FireDecision {
    if (now - timer.due <= this.definition.misfire.thresholdSec * 1000)
      return this.#fireSlot(timer, 'SCHEDULE', null, previous);
    return this.#fireMissed(timer, now, previous);
  }

  /** When the slot is due: the slot plus its jitter, which never reaches the next slot. */
  dueOf(slot: number): number {
    if (this.#jitterMs === 0) return slot;
    return slot + jitterMs(this.scheduleId, slot, this.#jitterMs, nextSlot(this.#compiled, slot));
  }

  /** The timer of the same slots when only the window or the jitter changed: its slot where that is still open. Null when none is. */
  retimed(timer: TimerState, now: number): TimerState | null {
    const isWaiting = timer.due === Number.POSITIVE_INFINITY;
    if (this.delayMs !== null) {
      if (isWaiting) return timer;
      const slot = Math.max(timer.slot, this.definition.startAt?.getTime() ?? 0);
      return this.#isOpenAt(slot, timer.fires) ? { ...timer, slot, due: this.dueOf(slot) } : null;
    }
    return this.firstTimer(isWaiting ? now : timer.slot - 1, timer) ?? (isWaiting ? timer : null);
  }

  /** The timer of a schedule taken up again, once due slots are counted: a fired last slot, or link of a chain, is waited for. */
  resumedTimer(counted: TimerState, now: number, hasFired: boolean): TimerState | null {
    const waiting = hasFired
      ? { ...counted, slot: counted.lastFired ?? counted.slot, due: Number.POSITIVE_INFINITY }
      : null;
    if (this.delayMs !== null) return waiting ?? this.firstTimer(now, counted);
    const isWaiting = !hasFired && counted.due === Number.POSITIVE_INFINITY;
    return this.firstTimer(isWaiting ? now : counted.cursor, counted) ?? waiting;
  }

  /** The slots from `first` (itself a due slot) that are due by `now`: the `latest` ones, at most `keep`, and the stretch before them. */
  slotsDue(
    first: number,
    now: number,
    keep: number,
  ): { readonly latest: readonly number[]; readonly before: Omit<SkippedSlots, 'reason'> | null } {
    const last = this.#lastDue(first, now);
    const latest = latestSlots(this.#compiled, first, last, keep);
    const [kept] = latest;
    if (kept === first) return { latest, before: null };
    const later = first === last ? 0 : slotsBetween(this.#compiled, first, last, COUNT_CAP).count;
    const to = kept === undefined ? last : lastBefore(this.#compiled, first, kept);
    return { latest, before: { from: first, to, count: later === null ? null : later + 1 - latest.length } };
  }

  /** The next slot after `after` within the window; null when none follows, or when it depends on the end of a run. */
  slotAfter(after: number): number | null {
    const { startAt } = this.definition;
    const slot = this.#nextOf(Math.max(after, (startAt?.getTime() ?? 0) - 1));
    return slot !== null && slot <= this.#lastOpen(Number.POSITIVE_INFINITY) ? slot : null;
  }

  /** How many slots lie in (after, upTo] within the window; null past 100,000. */
  countSlots(after: number, upTo: number): number | null {
    const { startAt } = this.definition;
    const from = Math.max(after, (startAt?.getTime() ?? 0) - 1);
    return slotsBetween(this.#compiled, from, Math.max(from, this.#lastOpen(upTo)), COUNT_CAP).count;
  }

  /** The version's next slot after `after` with its due time and what a clock change did to it; null past its window. */
  upcomingAfter(
    after: number,
  ): { readonly slot: number; readonly due: number; readonly dst: 'GAP' | 'FOLD' | null } | null {
    const marked = nextSlotMarked(this.#compiled, after);
    if (marked === null || marked.at > this.#lastOpen(Number.POSITIVE_INFINITY)) return null;
    return { slot: marked.at, due: this.dueOf(marked.at), dst: marked.dst };
  }

  /** How many slots lie from `first` (itself a slot) to `upTo`; at most the bound of exact counting. Zero without `maxFires`, where nobody counts. */
  slotsWithin(first: number, upTo: number): number {
    if (this.definition.maxFires === null || upTo < first) return 0;
    return 1 + (slotsBetween(this.#compiled, first, upTo, COUNT_CAP).count ?? COUNT_CAP);
  }

  /** True when a schedule that has fired so often fires no more. */
  isSpent(fires: number): boolean {
    return this.definition.maxFires !== null && fires >= this.definition.maxFires;
  }

  #fireMissed(timer: TimerState, now: number, previous: PreviousRun): FireDecision {
    const { policy, thresholdSec, windowSec } = this.definition.misfire;
    if (this.delayMs !== null) return this.#fireSlot(timer, 'CATCH_UP', null, previous);
    switch (policy) {
      case 'FIRE_ONCE': {
        const { latest, before } = this.slotsDue(timer.slot, now, 1);
        const slot = latest[0] ?? timer.slot;
        const skipped = before === null ? null : ({ ...before, reason: 'MISFIRE' } as const);
        return this.#fireSlot(
          { ...timer, slot, due: slot === timer.slot ? timer.due : this.dueOf(slot) },
          'CATCH_UP',
          skipped,
          previous,
        );
      }
      case 'SKIP':
        return this.#skipUpTo(timer, now - thresholdSec * 1000, previous);
      case 'FIRE_ALL':
        if (now - timer.due <= windowSec * 1000) return this.#fireSlot(timer, 'CATCH_UP', null, previous);
        return this.#skipUpTo(timer, now - windowSec * 1000, previous);
    }
  }

  /** Skips the timer's slot and all after it that were due by `upTo`, as one stretch. */
  #skipUpTo(timer: TimerState, upTo: number, previous: PreviousRun): FireDecision {
    const { before } = this.slotsDue(timer.slot, upTo, 0);
    const stretch = before ?? { from: timer.slot, to: timer.slot, count: 1 };
    return {
      fired: null,
      skipped: { ...stretch, reason: 'MISFIRE' },
      next: this.#after(timer, stretch.to, timer, previous),
    };
  }

  #fireSlot(
    timer: TimerState,
    cause: FiredSlot['cause'],
    missed: SkippedSlots | null,
    previous: PreviousRun,
  ): FireDecision {
    const start = startBeside(previous, this.definition.overlapPolicy);
    if (start === null) {
      const from = missed?.from ?? timer.slot;
      const count = missed === null ? 1 : missed.count === null ? null : missed.count + 1;
      const skipped: SkippedSlots = { from, to: timer.slot, count, reason: 'OVERLAP' };
      return { fired: null, skipped, next: this.#after(timer, timer.slot, timer, previous) };
    }
    const counted = { lastFired: timer.slot, fires: timer.fires + 1 };
    const fired: FiredSlot = { slot: timer.slot, due: timer.due, cause, start };
    return { fired, skipped: missed, next: this.#after(timer, timer.slot, counted, 'OPEN') };
  }

  /** The timer once `slot` has been handled: the next slot, a wait for the open run to end, or the end. */
  #after(
    timer: TimerState,
    slot: number,
    counted: Pick<TimerState, 'lastFired' | 'fires'>,
    previous: PreviousRun,
  ): TimerState | 'COMPLETED' {
    const cursor = Math.max(timer.cursor, slot);
    const next = this.#nextOf(slot);
    const { lastFired, fires } = counted;
    if (next !== null && this.#isOpenAt(next, fires))
      return { slot: next, due: this.dueOf(next), cursor, lastFired, fires };
    if (previous === 'ENDED') return 'COMPLETED';
    return { slot, due: Number.POSITIVE_INFINITY, cursor, lastFired, fires };
  }

  #nextOf(slot: number): number | null {
    return this.delayMs === null ? nextSlot(this.#compiled, slot) : null;
  }

  /** The last slot from `from` on that is due by `now`; `from` where none is. No slot's due time reaches the next slot. */
  #lastDue(from: number, now: number): number {
    if (this.delayMs !== null) return from;
    const { last } = slotsBetween(this.#compiled, from, this.#lastOpen(now), COUNT_CAP);
    if (last === null || this.dueOf(last) <= now) return last ?? from;
    return lastBefore(this.#compiled, from, last);
  }

  #isOpenAt(slot: number, fires: number): boolean {
    const { endAt } = this.definition;
    return (endAt === null || slot <= endAt.getTime()) && !this.isSpent(fires);
  }

  #lastOpen(instant: number): number {
    const { endAt } = this.definition;
    return endAt === null ? instant : Math.min(instant, endAt.getTime());
  }
}
