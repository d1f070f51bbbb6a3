import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import { guardedValues, withoutValues } from '../../../src/infra/messaging/redacted-outcome.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

const refused = (responseSnippet: string, reason = 'HTTP 400'): Outcome => ({
  kind: 'refused',
  attempt: 'HTTP_STATUS',
  httpStatus: 400,
  why: 'REFUSED',
  reason,
  responseSnippet,
});

const kept = (snippet: string, ...values: readonly string[]): string | undefined => {
  const outcome = withoutValues(refused(snippet), values);
  return 'responseSnippet' in outcome ? outcome.responseSnippet : undefined;
};

describe('what a receiver echoes', () => {
  test.each([
    ['as it was sent', 'you sent Bearer abcdef123456!', 'Bearer abcdef123456', 'you sent ********!'],
    ['without its scheme', '{"token":"abcdef123456"}', 'Bearer abcdef123456', '{"token":"********"}'],
    ['in JSON', '{"h":"a\\"quoted\\\\value"}', 'a"quoted\\value', '{"h":"********"}'],
    ['in a URL', '/?h=a%20b%2Fcdefgh', 'a b/cdefgh', '/?h=********'],
    ['in HTML', '<b>a&amp;b&lt;cdefgh</b>', 'a&b<cdefgh', '<b>********</b>'],
    ['in base64', `h=${btoa('abcdef123456')}`, 'abcdef123456', 'h=********'],
    ['in capitals', 'ABCDEF123456', 'abcdef123456', '********'],
    [
      'decoded',
      'user=admin-user, password=hunter2-hunter2',
      `Basic ${btoa('admin-user:hunter2-hunter2')}`,
      'user=********, password=********',
    ],
    ['as one cookie of two', 'bad session 0123456789', 'lang=en; session=0123456789', 'bad session ********'],
    ['twice', 'abcdef123456 abcdef123456', 'abcdef123456', '******** ********'],
    ['cut off', 'you sent Bearer abcd', 'Bearer abcdef123456', 'you sent ********'],
  ])('is taken out %s', (_how, snippet, value, expected) => {
    expect(kept(snippet, value)).toBe(expected);
  });

  test('is taken out wherever it stands, of whatever it is made', () => {
    const value = fc.string({ unit: 'binary-ascii', minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(value, fc.string(), fc.string(), (secret, before, after) => {
        expect(kept(`${before}${secret}${after}`, secret)).not.toContain(secret);
      }),
    );
  });

  test('leaves the rest, and an answer without it, as it is', () => {
    const outcome = refused('no such account', 'HTTP 404');
    expect(withoutValues(outcome, ['Bearer abcdef123456'])).toEqual(outcome);
    expect(withoutValues(outcome, [])).toBe(outcome);
    expect(kept('short abc', 'abc')).toBe('short abc');
  });

  test('is taken out of reasons too, and nothing is looked for in a success', () => {
    expect(withoutValues(refused('', 'bad abcdef123456'), ['abcdef123456'])).toMatchObject({ reason: 'bad ********' });
    const accepted: Outcome = { kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 200 };
    expect(withoutValues(accepted, ['abcdef123456'])).toBe(accepted);
  });

  test('is not looked for among too many values: nothing of the answer is kept', () => {
    const values = Array.from({ length: 3 }, (_, at) => `${at}`.repeat(4000));
    expect(kept('some words', ...values)).toBe('********');
    expect(kept('some words', ...values.slice(1))).toBe('some words');
  });

  test('is looked for as fast in hostile texts', async () => {
    const values = Array.from({ length: 50 }, (_, at) => 'a'.repeat(100 + at));
    const tookMs = await cpuMsOf(() => {
      for (let round = 0; round < 10; round += 1) kept('a'.repeat(4096), ...values);
    });
    expect(tookMs).toBeLessThan(2000);
  });
});

test('headers that every error message names are not guarded', () => {
  const headers = ['Content-Type', 'application/json', 'X-Key', 'abcdef123456', 'user-agent', 'scheduler-domain'];
  expect(guardedValues(headers)).toEqual(['abcdef123456']);
});
