import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BREAKER_RULE, CircuitBreaker } from '../../../src/domain/entities/circuit-breaker.ts';
import { SECOND } from './builders.ts';

const PASS = { kind: 'PASS' };
const PROBE = { kind: 'PROBE' };

/** A breaker opened by five failures at 0. */
function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker(BREAKER_RULE);
  for (let failure = 0; failure < 5; failure += 1) breaker.failed(0, false);
  return breaker;
}

describe('a breaker', () => {
  it('opens at the fifth failure in a row, for half a minute', () => {
    const breaker = new CircuitBreaker(BREAKER_RULE);
    for (let failure = 1; failure <= 4; failure += 1) breaker.failed(failure * SECOND, false);
    expect(breaker.ask(4 * SECOND)).toEqual(PASS);
    breaker.failed(5 * SECOND, false);
    expect(breaker.ask(6 * SECOND)).toEqual({ kind: 'WAIT', waitMs: 29 * SECOND, spreadMs: 30 * SECOND });
  });

  it('stays closed while successes lie between, or while the failures lie further apart than a minute', () => {
    const mixed = new CircuitBreaker(BREAKER_RULE);
    const slow = new CircuitBreaker(BREAKER_RULE);
    for (let failure = 0; failure < 50; failure += 1) {
      mixed.failed(failure, false);
      if (failure % 4 === 3) mixed.succeeded(false);
      slow.failed(failure * 16 * SECOND, false);
    }
    expect([mixed.state, slow.state]).toEqual(['CLOSED', 'CLOSED']);
  });

  it('lets one probe pass when its time is over, and closes when that succeeds', () => {
    const breaker = opened();
    expect(breaker.ask(30 * SECOND)).toEqual(PROBE);
    expect(breaker.ask(30 * SECOND)).toEqual({ kind: 'WAIT', waitMs: 0, spreadMs: 30 * SECOND });
    breaker.succeeded(true);
    expect(breaker.ask(30 * SECOND)).toEqual(PASS);
    breaker.failed(31 * SECOND, false);
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens for longer with each probe that fails, five minutes at most', () => {
    const breaker = opened();
    const waits: number[] = [];
    let now = 0;
    for (let probe = 0; probe < 12; probe += 1) {
      const admission = breaker.ask(now);
      if (admission.kind !== 'WAIT') throw new Error('it is not open');
      waits.push(admission.waitMs / SECOND);
      now += admission.waitMs;
      expect(breaker.ask(now)).toEqual(PROBE);
      breaker.failed(now, true);
    }
    expect(waits).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  });

  it('lets the next attempt probe when the probe was broken off', () => {
    const breaker = opened();
    breaker.ask(30 * SECOND);
    breaker.ended(40 * SECOND, true);
    expect(breaker.ask(40 * SECOND)).toEqual(PROBE);
  });

  it('does not heed what attempts from before it opened tell of', () => {
    const breaker = opened();
    breaker.succeeded(false);
    breaker.failed(20 * SECOND, false);
    breaker.ended(20 * SECOND, false);
    expect(breaker.ask(29 * SECOND)).toMatchObject({ kind: 'WAIT', waitMs: SECOND });
    breaker.ask(30 * SECOND);
    breaker.succeeded(false);
    breaker.failed(31 * SECOND, false);
    expect(breaker.state).toBe('HALF_OPEN');
  });
});

describe('whatever happens', () => {
  const happening = fc.record({ afterMs: fc.nat(90_000), what: fc.constantFrom('UP', 'DOWN', 'NOTHING') });

  it('no more than one probe is out, no wait is longer than five minutes, and after it there is a probe', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const breaker = new CircuitBreaker(BREAKER_RULE);
        const out: boolean[] = [];
        let now = 0;
        for (const { afterMs, what } of happenings) {
          now += afterMs;
          const admission = breaker.ask(now);
          if (admission.kind === 'WAIT') {
            expect(admission.waitMs).toBeLessThanOrEqual(BREAKER_RULE.longestOpenMs);
            expect(out.includes(true)).toBe(admission.waitMs === 0);
            now += admission.waitMs;
            if (admission.waitMs > 0) expect(breaker.ask(now)).toEqual(PROBE);
            if (admission.waitMs > 0) out.push(true);
          } else {
            expect(admission.kind === 'PROBE' && out.includes(true)).toBe(false);
            out.push(admission.kind === 'PROBE');
          }
          const isProbe = out.shift() ?? false;
          if (what === 'UP') breaker.succeeded(isProbe);
          else if (what === 'DOWN') breaker.failed(now, isProbe);
          else breaker.ended(now, isProbe);
        }
      }),
    );
  });

  it('a destination that answers is never kept from anything', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(90_000)), (waits) => {
        const breaker = new CircuitBreaker(BREAKER_RULE);
        let now = 0;
        for (const wait of waits) {
          now += wait;
          expect(breaker.ask(now)).toEqual(PASS);
          breaker.succeeded(false);
        }
      }),
    );
  });
});
