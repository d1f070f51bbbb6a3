import {
  BusinessDays,
  type DaySpans,
  dayText,
  type Gathering,
  LAST_DAY,
  MAX_MOVE_DAYS,
  mergedSpans,
  type OnExcluded,
  pairsOf,
} from './business-days.ts';
import { type CompiledTrigger, nextSlot, slotsBetween } from './compile.ts';
import { DAY_SEC, type Instant } from './instant.ts';
import { LocalDays, type Piece } from './local-days.ts';

/*
 * A trigger's slots under a calendar. A moved slot keeps its identity and is due elsewhere, so slots are handled in the
 * order of their due times, equal ones in the order of the slots. Dates never overtake one another, so this differs from
 * the order of the slots only within a gathering: the dates whose slots all go to one date (Saturday 9:00, Sunday 9:00
 * and Monday 9:00 come before Saturday 17:00). Outside of it nothing needs to be remembered but the slot to come.
 */

/** The place of a slot in the order. */
interface Place {
  readonly slot: Instant;
  readonly due: Instant;
}

/** The slots of a trigger up to `ceiling` (inclusive), with the dates that a calendar excludes. Immutable. */
export class SlotCalendar {
  readonly #compiled: CompiledTrigger;
  readonly #local: LocalDays;
  readonly #days: BusinessDays;
  readonly #policy: OnExcluded;
  readonly #ceiling: Instant;

  constructor(
    compiled: CompiledTrigger,
    tz: string,
    excluded: DaySpans & { readonly onExcluded: OnExcluded },
    ceiling: Instant,
  ) {
    this.#compiled = compiled;
    this.#local = new LocalDays(tz);
    const days = mergedSpans([...pairsOf(excluded.days), ...this.#local.missing]);
    this.#days = new BusinessDays(this.#local.missing.length === 0 ? excluded : { ...excluded, days });
    this.#policy = excluded.onExcluded;
    this.#ceiling = ceiling;
  }

  /** Whether slots are moved, so that the order of due times may differ from that of the slots. */
  get moves(): boolean {
    return this.#policy !== 'SKIP';
  }

  /** True when the slot becomes no run: its date is excluded and it is moved nowhere. */
  isSkipped(slot: Instant): boolean {
    return this.#days.targetOf(this.#local.dayOf(slot), this.#policy) === null;
  }

  /** The date a slot was moved away from; null for one that stays where it is. */
  movedFrom(slot: Instant): string | null {
    const day = this.#local.dayOf(slot);
    return this.#days.isExcluded(day) && !this.isSkipped(slot) ? dayText(day) : null;
  }

  /** True when the slot's date takes in slots of other dates. */
  isShared(slot: Instant): boolean {
    const { first, last } = this.#gatheringAt(slot);
    return first < last;
  }

  /** Where the slot is due before jitter: the same local time on the date it goes to, behind a gap the first valid instant. */
  placeOf(slot: Instant): Instant {
    const day = this.#local.dayOf(slot);
    const target = this.#days.targetOf(day, this.#policy);
    if (target === null || target === day) return slot;
    const sec = Math.floor(slot / 1000);
    return this.#local.atWall(this.#local.wallAt(sec) + (target - day) * DAY_SEC) * 1000 + (slot - sec * 1000);
  }

  /** How far jitter may put off the slot: not to the next one in order, nor onto an excluded date. */
  roomAfter(slot: Instant): number {
    const place = this.placeOf(slot);
    const next = this.#compiled.type === 'FIXED_DELAY' ? null : this.next(slot, this.handledBelow(slot));
    const tomorrow = this.#local.dayOf(place) + 1;
    const midnight = this.#days.isExcluded(tomorrow) ? this.#local.startOf(tomorrow) * 1000 : Number.POSITIVE_INFINITY;
    return Math.min(midnight, next === null ? Number.POSITIVE_INFINITY : this.placeOf(next)) - place;
  }

  /** The first slot in order among those after `floor`. */
  first(floor: Instant): Instant | null {
    const slot = this.#slotAfter(floor);
    return slot === null || !this.moves ? slot : this.#leastIn(this.#gatheringAt(slot), floor, null);
  }

  /** The slot in order after `slot`, among those after `floor`. */
  next(slot: Instant, floor: Instant): Instant | null {
    if (!this.moves) return this.#slotAfter(Math.max(slot, floor));
    const gathering = this.#gatheringAt(slot);
    const later = this.#leastIn(gathering, floor, { slot, due: this.placeOf(slot) });
    return later ?? this.first(Math.max(this.#local.startOf(gathering.last + 1) * 1000 - 1, floor));
  }

  /** As `next`, passing over what is skipped. */
  nextFired(slot: Instant, floor: Instant): Instant | null {
    return this.#fired(this.next(slot, floor), floor);
  }

  /** As `first`, passing over what is skipped. */
  firstFired(floor: Instant): Instant | null {
    return this.#fired(this.first(floor), floor);
  }

  /** True when `next` is the slot that follows `slot` in time: no other lies between them. */
  follows(slot: Instant, next: Instant): boolean {
    return this.#slotAfter(slot) === next;
  }

  /** The instant up to which every slot has been handled once `slot` is the one to come. */
  handledBelow(slot: Instant): Instant {
    return this.moves ? this.#local.startOf(this.#gatheringAt(slot).first) * 1000 - 1 : slot - 1;
  }

  /** The latest slot after `floor` that comes before `slot` in order; `floor` when there is none. */
  handledUpTo(slot: Instant, floor: Instant): Instant {
    if (!this.moves) return this.#slotBefore(floor, slot - 1) ?? floor;
    const { first, last, target } = this.#gatheringAt(slot);
    const place = { slot, due: this.placeOf(slot) };
    let latest = floor;
    for (let day = first; day <= last; day++) {
      for (const piece of this.#local.piecesOf(day)) {
        const from = this.#lowerIn(piece, target, place.due);
        const before = this.#slotBefore(Math.max(floor, piece.from * 1000 - 1), from * 1000 - 1);
        latest = Math.max(latest, before ?? floor);
        let tied = this.#slotAfter(Math.max(from * 1000 - 1, floor));
        for (; tied !== null && tied < piece.to * 1000 && this.#isBefore(tied, place); tied = this.#slotAfter(tied)) {
          latest = Math.max(latest, tied);
        }
      }
    }
    return Math.max(latest, this.#slotBefore(floor, this.handledBelow(slot)) ?? floor);
  }

  /** The first slot in time after `after` that is not skipped. */
  openAfter(after: Instant): Instant | null {
    let slot = this.#slotAfter(after);
    while (slot !== null && this.isSkipped(slot)) {
      const open = this.#dayBehind(slot);
      slot = open === null ? null : this.#slotAfter(this.#local.startOf(open) * 1000 - 1);
    }
    return slot;
  }

  #fired(from: Instant | null, floor: Instant): Instant | null {
    let slot = from;
    while (slot !== null && this.isSkipped(slot)) {
      const open = this.#dayBehind(slot);
      slot = open === null ? null : this.first(Math.max(this.#local.startOf(open) * 1000 - 1, floor));
    }
    return slot;
  }

  /** The day to go on with behind a slot that is skipped; null where all days are excluded. */
  #dayBehind(slot: Instant): number | null {
    const day = this.#local.dayOf(slot);
    const open = this.#days.openFrom(day, LAST_DAY + 1);
    return open === null || !this.moves ? open : Math.max(day + 1, open - MAX_MOVE_DAYS);
  }

  /** The first slot of a gathering in order, after `floor` and after a place. */
  #leastIn({ first, last, target }: Gathering, floor: Instant, after: Place | null): Instant | null {
    let least: Place | null = null;
    for (let day = first; day <= last; day++) {
      for (const piece of this.#local.piecesOf(day)) {
        const from = after === null ? piece.from : this.#lowerIn(piece, target, after.due);
        let slot = this.#slotAfter(Math.max(from * 1000 - 1, floor));
        while (slot !== null && slot < piece.to * 1000 && after !== null && !this.#isAfter(slot, after))
          slot = this.#slotAfter(slot);
        if (slot === null || slot >= piece.to * 1000) continue;
        if (least === null || this.#isBefore(slot, least)) least = { slot, due: this.placeOf(slot) };
      }
    }
    return least?.slot ?? null;
  }

  #isAfter(slot: Instant, { due, slot: other }: Place): boolean {
    const own = this.placeOf(slot);
    return own > due || (own === due && slot > other);
  }

  #isBefore(slot: Instant, { due, slot: other }: Place): boolean {
    const own = this.placeOf(slot);
    return own < due || (own === due && slot < other);
  }

  /** The second within the piece before which every slot is due before `due`. */
  #lowerIn(piece: Piece, target: number | null, due: Instant): number {
    const dueSec = Math.floor(due / 1000);
    if (target === null || target === piece.day) return Math.min(Math.max(piece.from, dueSec), piece.to);
    // Behind a gap all its local times are due at once, so the wall clock is read a second earlier.
    const wall = this.#local.wallAt(dueSec - 1) + 1 - (target - piece.day) * DAY_SEC;
    return Math.min(Math.max(piece.from, wall - piece.offset), piece.to);
  }

  #slotAfter(after: Instant): Instant | null {
    const slot = nextSlot(this.#compiled, after);
    return slot !== null && slot <= this.#ceiling ? slot : null;
  }

  /** The latest slot in (after, upTo]. */
  #slotBefore(after: Instant, upTo: Instant): Instant | null {
    return upTo > after ? slotsBetween(this.#compiled, after, Math.min(upTo, this.#ceiling), 1).last : null;
  }

  #gatheringAt(slot: Instant): Gathering {
    return this.#days.gatheringOf(this.#local.dayOf(slot), this.#policy);
  }
}
