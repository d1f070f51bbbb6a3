import { describe, expect, it, vi } from 'vitest';
import { canonicalZone, localTime, parseInstant, tzdataVersion } from '../../../src/domain/time/zone.ts';
import {
  segmentAt,
  tableOf,
  transitionsByIntl,
  transitionsByTemporal,
  zoneTable,
} from '../../../src/domain/time/zone-table.ts';
import { randomFrom } from './support/random.ts';
import { cases, STRANGE_ZONES } from './support/tools.ts';

describe('the name of a zone', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['europe/BERLIN', 'Europe/Berlin'],
    ['Europe/Kyiv', 'Europe/Kyiv'],
    ['Europe/Kiev', 'Europe/Kiev'],
    ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['utc', 'UTC'],
    ['Etc/GMT+5', 'Etc/GMT+5'],
    ['EST5EDT', 'EST5EDT'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
  ])('%s is %s', (name, canonical) => {
    expect(canonicalZone(name)).toBe(canonical);
  });

  it.each([
    '',
    '+01:00',
    'UTC+1',
    'GMT+5',
    'PST',
    'CEST',
    'Factory',
    'SystemV/EST5',
    'Etc/Unknown',
    'localtime',
    'posix/Europe/Berlin',
    '/usr/share/zoneinfo/Europe/Berlin',
    '../../etc/passwd',
    'EST5EDT4,M3.2.0,M11.1.0',
    'Europe/Berlin ',
    'Europe/Atlantis',
    '2026-01-01T00:00:00[Europe/Berlin]',
    'Europe/Berlin\u0000',
    'x'.repeat(10_000),
  ])('%j is none', (name) => {
    expect(canonicalZone(name)).toBeNull();
  });

  it('is known without Temporal too, and ICU adds none of its own', () => {
    vi.stubGlobal('Temporal', undefined);
    try {
      const names = [
        'europe/BERLIN',
        'utc',
        'Etc/GMT+5',
        'PST',
        'SystemV/EST5',
        'Factory',
        '+01:00',
        'Europe/Atlantis',
      ];
      expect(names.map(canonicalZone)).toEqual(['Europe/Berlin', 'UTC', 'Etc/GMT+5', null, null, null, null, null]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('the version of the zone data is known', () => {
    expect(tzdataVersion).toMatch(/^20\d\d[a-z]$/);
  });
});

describe('a time in words of a zone', () => {
  it.each([
    ['2026-03-30T07:00:00.000Z', 'Europe/Berlin', '2026-03-30T09:00:00+02:00'],
    ['2026-03-30T07:00:00.050Z', 'UTC', '2026-03-30T07:00:00.050+00:00'],
    ['2026-01-01T00:00:00.000Z', 'America/St_Johns', '2025-12-31T20:30:00-03:30'],
    ['2026-01-01T00:00:00.000Z', 'Asia/Kathmandu', '2026-01-01T05:45:00+05:45'],
    ['2026-01-01T00:00:00.000Z', 'Pacific/Chatham', '2026-01-01T13:45:00+13:45'],
  ])('%s in %s is %s', (at, tz, local) => {
    expect(localTime(Date.parse(at), tz)).toBe(local);
  });
});

describe('a time as it is written', () => {
  it.each([
    ['2026-03-30T09:00:00Z', '2026-03-30T09:00:00.000Z'],
    ['2026-03-30T09:00:00+02:00', '2026-03-30T07:00:00.000Z'],
    ['2026-03-30t09:00:00.1-03:30', '2026-03-30T12:30:00.100Z'],
    ['2026-03-30T09:00:00.123456789Z', '2026-03-30T09:00:00.123Z'],
    ['2024-02-29T23:59:59z', '2024-02-29T23:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is the instant %s', (text, instant) => {
    expect(new Date(parseInstant(text) ?? Number.NaN).toISOString()).toBe(instant);
  });

  it.each([
    '',
    '2026-03-30',
    '2026-03-30T09:00:00',
    '2026-03-30T09:00Z',
    '2026-03-30 09:00:00Z',
    '2026-02-29T09:00:00Z',
    '2026-04-31T09:00:00Z',
    '1900-02-29T09:00:00Z',
    '2026-13-01T09:00:00Z',
    '2026-00-01T09:00:00Z',
    '2026-03-30T24:00:00Z',
    '2026-03-30T09:60:00Z',
    '2026-03-30T09:00:60Z',
    '2026-03-30T09:00:00+24:00',
    '2026-03-30T09:00:00+0200',
    '+002026-03-30T09:00:00Z',
    '2026-03-30T09:00:00Z\n',
    '1774861200000',
  ])('%j is no instant', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

describe('a table of a zone', () => {
  const zones = Intl.supportedValuesOf('timeZone');

  it('has the offset that Temporal has, at any instant of any zone (seed 11)', () => {
    const random = randomFrom(11);
    for (let turn = 0; turn < cases(4000); turn++) {
      const tz = random.pick(zones);
      const at = random.below(4_102_444_800);
      const table = zoneTable(tz);
      const expected = Temporal.Instant.fromEpochMilliseconds(at * 1000).toZonedDateTimeISO(tz).offsetNanoseconds / 1e9;
      expect({ tz, at, offset: table.offsets[segmentAt(table, at)] }).toEqual({ tz, at, offset: expected });
    }
  });

  it('has it also at each change, and the second before', () => {
    for (const tz of zones) {
      const table = zoneTable(tz);
      for (let index = 1; index < table.offsets.length; index++) {
        const start = table.starts[index] ?? 0;
        expect([segmentAt(table, start), segmentAt(table, start - 1)]).toEqual([index, index - 1]);
      }
    }
  });

  it('is the same made without Temporal', () => {
    for (const tz of STRANGE_ZONES.slice(0, cases(4))) {
      expect(tableOf(tz, transitionsByIntl(tz))).toEqual(tableOf(tz, transitionsByTemporal(tz)));
    }
  });

  it('takes a kilobyte or two', () => {
    const sizes = zones
      .map((tz) => zoneTable(tz))
      .map(({ starts, offsets, buckets }) => starts.byteLength + offsets.byteLength + buckets.byteLength);
    expect(Math.max(...sizes)).toBeLessThan(4500);
    expect(sizes.reduce((sum, size) => sum + size, 0) / sizes.length).toBeLessThan(1600);
  });
});
