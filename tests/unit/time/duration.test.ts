import { describe, expect, it } from 'vitest';
import { durationMs, parseDuration } from '../../../src/domain/time/duration.ts';

describe('a duration', () => {
  it.each([
    ['PT6H', { months: 0, days: 0, ms: 21_600_000 }],
    ['P1M', { months: 1, days: 0, ms: 0 }],
    ['P1Y2M3W4DT5H6M7.5S', { months: 14, days: 25, ms: 18_367_500 }],
    ['pt30s', { months: 0, days: 0, ms: 30_000 }],
    ['PT0S', { months: 0, days: 0, ms: 0 }],
    ['15m', { months: 0, days: 0, ms: 900_000 }],
    ['1h30m', { months: 0, days: 0, ms: 5_400_000 }],
    ['2d', { months: 0, days: 2, ms: 0 }],
    ['1w2d', { months: 0, days: 9, ms: 0 }],
    ['250ms', { months: 0, days: 0, ms: 250 }],
  ])('%s is read', (text, expected) => {
    expect(parseDuration(text)).toEqual(expected);
  });

  it.each([
    '',
    'P',
    'PT',
    'P1DT',
    'P1',
    '1',
    'm',
    '-PT1H',
    'PT-1H',
    'P1.5D',
    'PT1.5H',
    '30m1h',
    '1h1h',
    '1 h',
    'PT1H ',
    'P1S',
    'PT1D',
    '1M',
    '1y',
    'PT1,5S',
    'P99999Y',
    `PT${'9'.repeat(80)}S`,
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('has a length only without calendar parts', () => {
    expect(durationMs('PT1M30S')).toBe(90_000);
    expect(durationMs('45s')).toBe(45_000);
    expect(durationMs('P1M')).toBeNull();
    expect(durationMs('1d')).toBeNull();
    expect(durationMs('?')).toBeNull();
  });
});
