import { describe, expect, it } from 'vitest';
import { asTenantId } from '../../../src/domain/ids.ts';
import { type Findings, Watermarks } from '../../../src/infra/repo/watermarks.ts';

const NOW = Date.UTC(2026, 2, 29, 1);
const NEVER = Number.POSITIVE_INFINITY;
const NOISY = [asTenantId('noisy') ?? []].flat();

/** A claim of one live slot due at `upTo`. */
function found(upTo: number, given: Partial<Findings> = {}): Findings {
  return { live: { count: 1, upTo }, late: null, movedTo: NEVER, tookMs: 1, ...given };
}

function nothing(given: Partial<Findings> = {}): Findings {
  return found(NOW, { live: { count: 0, upTo: NOW }, ...given });
}

function watermarks() {
  const clock = { at: 10_000 };
  const marks = new Watermarks(() => clock.at);
  marks.end(marks.begin([]), found(NOW));
  return { marks, clock };
}

describe('the watermarks of claims', () => {
  it('begin with everything, then lie two seconds below what was claimed last', () => {
    const marks = new Watermarks(() => 10_000);
    const first = marks.begin([]);
    expect(first).toMatchObject({ low: 0, isFull: true });
    expect(marks.end(first, found(NOW))).toBe(false);
    expect(marks.begin([])).toMatchObject({ low: NOW - 2000, isFull: false });
  });

  it('let everything be looked at again after five seconds, and once after nothing was found', () => {
    const { marks, clock } = watermarks();
    expect(marks.end(marks.begin([]), nothing())).toBe(true);
    const second = marks.begin([]);
    expect(second.isFull).toBe(true);
    expect(marks.end(second, nothing())).toBe(false);
    expect(marks.begin([]).isFull).toBe(false);
    clock.at += 5_000;
    expect(marks.begin([]).isFull).toBe(true);
  });

  it('do not pass a timer that their own batch wrote back into the past', () => {
    const { marks } = watermarks();
    marks.end(marks.begin([]), found(NOW, { movedTo: NOW - 600_000 }));
    expect(marks.begin([])).toMatchObject({ low: NOW - 602_000, lateLow: 0 });
  });

  it('do not pass a timer that another claim wrote back while this one ran', () => {
    const { marks } = watermarks();
    const slow = marks.begin([]);
    marks.end(marks.begin([]), found(NOW, { movedTo: NOW - 600_000 }));
    marks.end(slow, found(NOW + 10));
    expect(marks.begin([]).low).toBe(NOW - 602_000);
  });

  it('learn nothing from a claim that failed', () => {
    const { marks } = watermarks();
    const failed = marks.begin([]);
    marks.giveUp(failed);
    marks.end(marks.begin([]), found(NOW + 5, { movedTo: NOW - 600_000 }));
    expect(failed.movedTo).toBe(NEVER);
  });
});

describe('the watermarks of claims that leave tenants out', () => {
  it('pass over what these have due, and only while they are left out', () => {
    const { marks } = watermarks();
    expect(marks.end(marks.begin(NOISY), nothing({ live: { count: 0, upTo: NOW + 60_000 } }))).toBe(false);
    expect(marks.begin(NOISY).low).toBe(NOW + 58_000);
    expect(marks.begin([]).low).toBe(NOW - 2000);
  });

  it('are tested by a full scan no more than a twentieth of the time', () => {
    const { marks, clock } = watermarks();
    clock.at += 5_000;
    marks.end(marks.begin(NOISY), nothing({ tookMs: 400 }));
    clock.at += 7_900;
    expect(marks.begin(NOISY).isFull).toBe(false);
    clock.at += 100;
    expect(marks.begin(NOISY).isFull).toBe(true);
  });

  it('of late slots lie where these were left over, and go on where none were', () => {
    const { marks } = watermarks();
    marks.end(marks.begin([]), found(NOW, { late: { upTo: NOW - 600_000 } }));
    expect(marks.begin([]).lateLow).toBe(NOW - 602_000);
  });
});
