import { DAY_SEC, type Instant } from './instant.ts';
import { type Clock, clockOf, instantsOf, skippedStretches, wallAt } from './zone.ts';
import { segmentAt } from './zone-table.ts';

/** A part of a local day in which the clock runs evenly: [from, to) in seconds. */
export interface Piece {
  readonly day: number;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** The days of a zone, as day numbers since 1970. Immutable. */
export class LocalDays {
  readonly #clock: Clock;
  /** Dates that the clock left out (Samoa, 30 December 2011), as pairs of first and last. */
  readonly missing: readonly (readonly [number, number])[];

  constructor(tz: string) {
    this.#clock = clockOf(tz, false, undefined);
    this.missing = skippedStretches(this.#clock, 0).flatMap(({ from, to }): [number, number][] => {
      const [first, end] = [Math.ceil(from / DAY_SEC), Math.floor(to / DAY_SEC)];
      return first < end ? [[first, end - 1]] : [];
    });
  }

  dayOf(slot: Instant): number {
    return Math.floor(this.wallAt(Math.floor(slot / 1000)) / DAY_SEC);
  }

  /** What the clock shows, in seconds since 1970 as if in UTC. */
  wallAt(atSec: number): number {
    return wallAt(this.#clock.zone, atSec);
  }

  /** The first second of a local day, or of the next one where the clock left the day out. */
  startOf(day: number): number {
    return this.atWall(day * DAY_SEC);
  }

  /** The second at which the clock shows `wall`: the first pass of a fold, the first valid one behind a gap. */
  atWall(wall: number): number {
    const [at] = instantsOf(this.#clock, wall);
    if (at !== undefined) return at;
    const gap = skippedStretches(this.#clock, 0).find(({ from, to }) => wall >= from && wall < to);
    const [after] = gap === undefined ? [] : instantsOf(this.#clock, gap.to);
    return after ?? wall - (this.wallAt(wall) - wall);
  }

  piecesOf(day: number): readonly Piece[] {
    const { zone } = this.#clock;
    const to = this.startOf(day + 1);
    const pieces: Piece[] = [];
    let from = this.startOf(day);
    for (let index = segmentAt(zone, from); from < to; index++) {
      const end = Math.min(to, zone.starts[index + 1] ?? Number.POSITIVE_INFINITY);
      pieces.push({ day, from, to: end, offset: zone.offsets[index] ?? 0 });
      from = end;
    }
    return pieces;
  }
}
