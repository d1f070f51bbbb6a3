import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asScheduleId,
  asTenantId,
  BACKFILL_SPACE,
  decodeRunId,
  encodeRunId,
  manualSpace,
  type RunKey,
  SLOT_SPACE,
  traceIdOf,
} from '../../../src/domain/ids.ts';
import { ID, TEN } from './builders.ts';

const keys: fc.Arbitrary<RunKey> = fc.record({
  scheduleId: fc.uuid().map((text) => asScheduleId(text) ?? ID),
  slot: fc.integer({ min: 0, max: Date.UTC(2100, 0) }),
  space: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
});

describe('a run id', () => {
  test('holds the whole key of its run', () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(decodeRunId(encodeRunId(key))).toEqual(key);
      }),
    );
  });

  test('sorts by slot, then by space', () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        const byKey = Math.sign(one.slot - other.slot) || Math.sign(one.space - other.space);
        const [left, right] = [encodeRunId(one), encodeRunId(other)];
        if (byKey !== 0) expect(left < right ? -1 : 1).toBe(byKey);
      }),
    );
  });

  test('is opaque: lower-case letters and digits, no colon, no dot', () => {
    expect(encodeRunId({ scheduleId: ID, slot: TEN, space: SLOT_SPACE })).toMatch(/^[0-9a-v]{42}$/);
  });

  test.each(['', 'x', '0'.repeat(41), 'Z'.repeat(42), `${'0'.repeat(41)}-`])('%j is none', (text) => {
    expect(decodeRunId(text)).toBeNull();
  });

  test('has one spelling: an id whose last bits say something is none', () => {
    const id = encodeRunId({ scheduleId: ID, slot: TEN, space: SLOT_SPACE });
    expect(['0', '4', 's'].map((last) => decodeRunId(id.slice(0, -1) + last)?.space)).toEqual([0, 0, 0]);
    expect(['1', '2', '3', 'v'].map((last) => decodeRunId(id.slice(0, -1) + last))).toEqual([null, null, null, null]);
  });

  test.each([
    { scheduleId: ID, slot: 2 ** 48 - 1, space: 0 },
    { scheduleId: ID, slot: TEN, space: 2 ** 32 - 1 },
  ])('of a key that no column could hold is none: $slot $space', (key) => {
    expect(decodeRunId(encodeRunId(key))).toBeNull();
  });
});

test('a manual run has a space that neither slots nor backfills have, and that fits an int4', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const space = manualSpace(random);
      expect(space > Math.max(SLOT_SPACE, BACKFILL_SPACE) && space <= 2 ** 31 - 1).toBe(true);
    }),
  );
});

test('a trace id is 32 hex digits, the same for the same run and another for another', () => {
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      expect(traceIdOf(one)).toMatch(/^[0-9a-f]{32}$/);
      expect(traceIdOf({ ...one })).toBe(traceIdOf(one));
      if (encodeRunId(one) !== encodeRunId(other)) expect(traceIdOf(one)).not.toBe(traceIdOf(other));
    }),
  );
});

test.each(['acme', 'a.b-c_1', '0', 'x'.repeat(100)])('%j may name a tenant', (text) => {
  expect(asTenantId(text)).toBe(text);
});

test.each(['', '.a', '-a', 'a b', 'a/b', 'ä', "a'b", 'x'.repeat(101)])('%j may not', (text) => {
  expect(asTenantId(text)).toBeNull();
});
