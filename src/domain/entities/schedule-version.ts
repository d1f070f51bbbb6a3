import type { ScheduleId, TenantId } from '../ids.ts';
import { type CompiledTrigger, compileTrigger, nextSlot, nextSlotMarked, slotsBetween } from '../time/compile.ts';
import { durationMs } from '../time/duration.ts';
import { jitterMs } from '../time/jitter.ts';
import { SlotCalendar } from '../time/slot-calendar.ts';
import { openCount, type Slots } from './calendar-fate.ts';
import type { ScheduleDefinition } from './definition.ts';
import { endOfRunMatters } from './definition-rules.ts';
import { type DueSlotRules, fateOfDueSlot } from './due-slot.ts';
import { COUNT_CAP, type DueSlots, dueSlots } from './latest-slots.ts';
import type { FireDecision, PreviousRun, TimerState } from './timer.ts';

/** How far a change of the zone data may move a slot: across the date line, and an hour. */
const NEAR_MS = 25 * 60 * 60 * 1000;

/** A slot to come. `movedFrom`: the excluded date it lies on, where its calendar moves it from there. */
export interface ComingSlot {
  readonly slot: number;
  readonly due: number;
  readonly dst: 'GAP' | 'FOLD' | null;
  readonly movedFrom: string | null;
}

export interface VersionKey {
  readonly scheduleId: ScheduleId;
  readonly version: number;
}

/** A schedule's definition at one version, compiled: decides the fate of due slots. Pure; every instant is a parameter. */
export class ScheduleVersion implements DueSlotRules {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly version: number;
  readonly definition: ScheduleDefinition;
  /** Its slots under the calendars it names; null without any. */
  readonly calendar: SlotCalendar | null;
  /** True when the end of a run may move the timer or the schedule: a chain, a buffer, or a trigger that ends. */
  readonly endOfRunMatters: boolean;
  readonly #compiled: CompiledTrigger;
  readonly #jitterMs: number;

  /** Throws DomainError INVALID_TRIGGER. */
  constructor(of: VersionKey & { readonly tenantId: TenantId }, definition: ScheduleDefinition) {
    this.scheduleId = of.scheduleId;
    this.tenantId = of.tenantId;
    this.version = of.version;
    this.definition = definition;
    this.endOfRunMatters = endOfRunMatters(definition);
    this.#compiled = compileTrigger(definition.trigger, { tz: definition.tz, dst: definition.dst });
    this.#jitterMs = definition.jitter === null ? 0 : (durationMs(definition.jitter) ?? 0);
    const { tz, calendars, excluded } = definition;
    const dates = calendars === null || excluded === null ? null : { ...excluded, onExcluded: calendars.onExcluded };
    this.calendar = dates && new SlotCalendar(this.#compiled, tz, dates, this.#lastOpen(Number.POSITIVE_INFINITY));
  }

  /** Milliseconds from the end of a run to the next slot, for FIXED_DELAY; else null. */
  get delayMs(): number | null {
    const { trigger } = this.definition;
    return trigger.type === 'FIXED_DELAY' ? trigger.delaySec * 1000 : null;
  }

  /** True where slots wait for the runs before them: then the next waits for any that is open, not only for the one fired last. */
  get runsQueue(): boolean {
    const { overlapPolicy } = this.definition;
    if (overlapPolicy === 'SKIP') return this.calendar?.moves === true;
    return overlapPolicy === 'BUFFER_ONE' || overlapPolicy === 'BUFFER_ALL';
  }

  /** What decides the order and the fate of slots under calendars; null without any, and for a chain, which has one slot at a time. */
  get slots(): Slots | null {
    if (this.calendar === null || this.delayMs !== null) return null;
    return { calendar: this.calendar, misfire: this.definition.misfire, dueOf: (slot) => this.dueOf(slot) };
  }

  /** The timer of a schedule whose slots begin after `after`; null when none will come. Keeps what `before` has counted. */
  firstTimer(after: number, before?: Pick<TimerState, 'cursor' | 'lastFired' | 'fires'>): TimerState | null {
    const { startAt } = this.definition;
    const fires = before?.fires ?? 0;
    const cursor = Math.max(before?.cursor ?? 0, 0);
    const lower = Math.max(after, cursor);
    const from = Math.max(lower, (startAt?.getTime() ?? 0) - 1);
    const slot = this.delayMs !== null && from > lower ? from + 1 : this.#firstAfter(from);
    if (slot === null || !this.isOpenAt(slot, fires)) return null;
    const handled = this.slots?.calendar.moves === true ? from : cursor;
    return { slot, due: this.dueOf(slot), cursor: handled, lastFired: before?.lastFired ?? null, fires };
  }

  /** The fate of the timer's slot at `now` (database time), when it is due. */
  fire(timer: TimerState, now: number, previous: PreviousRun): FireDecision {
    return fateOfDueSlot(this, timer, now, previous);
  }

  /** When the slot is due: where its calendar puts it, plus its jitter, which never reaches the next slot. */
  dueOf(slot: number): number {
    const place = this.calendar?.placeOf(slot) ?? slot;
    if (this.#jitterMs === 0) return place;
    if (this.calendar !== null)
      return place + jitterMs(this.scheduleId, slot, Math.min(this.#jitterMs, this.calendar.roomAfter(slot)), null);
    return slot + jitterMs(this.scheduleId, slot, this.#jitterMs, nextSlot(this.#compiled, slot));
  }

  /** The timer of the same slots when only the window or the jitter changed: its slot where that is still open. Null when none is. */
  retimed(timer: TimerState, now: number): TimerState | null {
    const isWaiting = timer.due === Number.POSITIVE_INFINITY;
    if (this.delayMs !== null) {
      if (isWaiting) return timer;
      const slot = Math.max(timer.slot, this.definition.startAt?.getTime() ?? 0);
      return this.isOpenAt(slot, timer.fires) ? { ...timer, slot, due: this.dueOf(slot) } : null;
    }
    return this.firstTimer(isWaiting ? now : timer.slot - 1, timer) ?? (isWaiting ? timer : null);
  }

  /** The timer of a schedule taken up again, once due slots are counted: a fired last slot, or link of a chain, is waited for, and so is one that is still open. */
  resumedTimer(counted: TimerState, now: number, hasFired: boolean): TimerState | null {
    const waiting = hasFired
      ? { ...counted, slot: counted.lastFired ?? counted.slot, due: Number.POSITIVE_INFINITY }
      : null;
    const isWaiting = !hasFired && counted.due === Number.POSITIVE_INFINITY;
    if (isWaiting && counted.isRunOpen === true) return counted;
    if (this.delayMs !== null) return waiting ?? this.firstTimer(now, counted);
    if (this.slots !== null && counted.due !== Number.POSITIVE_INFINITY)
      return this.isOpenAt(counted.slot, counted.fires) ? { ...counted, due: this.dueOf(counted.slot) } : waiting;
    return this.firstTimer(isWaiting ? now : counted.cursor, counted) ?? waiting;
  }

  /** The slots from `first` (itself a due slot) that are due by `now`: the `latest` ones, at most `keep`, and the stretch before them. */
  slotsDue(first: number, now: number, keep: number): DueSlots {
    const upTo = this.delayMs === null ? this.#lastOpen(now) : first;
    return dueSlots(this.#compiled, { first, upTo, keep }, (slot) => this.dueOf(slot) <= now);
  }

  /** The next slot after `after` within the window; null when none follows, or when it depends on the end of a run. */
  slotAfter(after: number): number | null {
    const { startAt } = this.definition;
    const from = Math.max(after, (startAt?.getTime() ?? 0) - 1);
    const slot = this.slots === null ? this.nextOf(from) : this.slots.calendar.openAfter(from);
    return slot !== null && slot <= this.#lastOpen(Number.POSITIVE_INFINITY) ? slot : null;
  }

  /** When the timer's slot, or the first behind it that is not skipped, takes place before jitter; null when none will. */
  nextFired({ slot, cursor }: TimerState): number | null {
    if (this.calendar === null) return slot;
    const fired = this.calendar.isSkipped(slot) ? (this.slots?.calendar.nextFired(slot, cursor) ?? null) : slot;
    return fired === null ? null : this.calendar.placeOf(fired);
  }

  /** The slot after `floor` that lies nearest to an instant, of two the earlier; null when there is none. One before it counts where it is near. */
  slotNearest(instant: number, floor: number): number | null {
    const from = Math.max(floor, (this.definition.startAt?.getTime() ?? 0) - 1);
    const before = slotsBetween(this.#compiled, Math.max(from, instant - NEAR_MS), instant - 1, 0).last;
    const after = nextSlot(this.#compiled, Math.max(from, instant - 1));
    return before !== null && (after === null || instant - before <= after - instant) ? before : after;
  }

  /** How many slots that are not skipped lie in (after, upTo] within the window; null where that is past 100,000 and beyond arithmetic. */
  countSlots(after: number, upTo: number): number | null {
    const { startAt } = this.definition;
    const from = Math.max(after, (startAt?.getTime() ?? 0) - 1);
    if (this.slots !== null) return openCount(this.slots.calendar, from, upTo);
    return slotsBetween(this.#compiled, from, Math.max(from, this.#lastOpen(upTo)), Number.POSITIVE_INFINITY).count;
  }

  /** The version's next slot after `after` with its due time and what a clock change did to it; null past its window. */
  upcomingAfter(after: number): ComingSlot | null {
    const marked = nextSlotMarked(this.#compiled, after);
    if (marked === null || marked.at > this.#lastOpen(Number.POSITIVE_INFINITY)) return null;
    const movedFrom = this.calendar?.movedFrom(marked.at) ?? null;
    return { slot: marked.at, due: this.dueOf(marked.at), dst: marked.dst, movedFrom };
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

  /** The latest slot that has been handled when the timer stands at its slot, or waits for the run of it. */
  handledUpTo({ slot, due, cursor }: TimerState): number {
    const ahead = this.slots?.calendar.handledUpTo(slot, cursor) ?? cursor;
    return Math.max(cursor, ahead, due === Number.POSITIVE_INFINITY ? slot : cursor);
  }

  #firstAfter(after: number): number | null {
    return this.slots === null ? nextSlot(this.#compiled, after) : this.slots.calendar.first(after);
  }

  /** The slot that follows in time; null for a chain. */
  nextOf(slot: number): number | null {
    return this.delayMs === null ? nextSlot(this.#compiled, slot) : null;
  }

  /** Whether a slot lies within the window of a schedule that has fired so often. */
  isOpenAt(slot: number, fires: number): boolean {
    const { endAt } = this.definition;
    return (endAt === null || slot <= endAt.getTime()) && !this.isSpent(fires);
  }

  #lastOpen(instant: number): number {
    const { endAt } = this.definition;
    return endAt === null ? instant : Math.min(instant, endAt.getTime());
  }
}
