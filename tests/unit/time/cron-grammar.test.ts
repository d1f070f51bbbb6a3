import { describe, expect, it } from 'vitest';
import { cron, refusal } from './support/tools.ts';

describe('an unreadable cron expression', () => {
  it.each([
    ['', 'empty at offset 0: write five fields, for example "0 9 * * MON-FRI"'],
    ['   ', 'empty at offset 0: write five fields, for example "0 9 * * MON-FRI"'],
    ['5', '1 of 5 fields at offset 1:'],
    ['* * * *', '4 of 5 fields at offset 7:'],
    ['0 0 1 1 * 2026 7', '"7" at offset 15: more than six fields'],
    ['60 * * * *', '"60" at offset 0: the minute runs from 0 to 59'],
    ['0 24 * * *', '"24" at offset 2: the hour runs from 0 to 23'],
    ['0 0 0 * *', '"0" at offset 4: the day of month runs from 1 to 31'],
    ['0 0 1 13 *', '"13" at offset 6: the month runs from 1 to 12 or JAN to DEC'],
    ['0 0 * * 8', '"8" at offset 8: the day of week runs from 0 to 7 or SUN to SAT'],
    ['60 0 0 * * *', '"60" at offset 0: the second runs from 0 to 59'],
    ['-1 * * * *', '"" at offset 0: the minute'],
    ['1.5 * * * *', '"1.5" at offset 0: the minute'],
    ['*/0 * * * *', '"0" at offset 2: a step of the minute is a number from 1 to 60'],
    ['*/61 * * * *', '"61" at offset 2: a step of the minute'],
    ['0 */25 * * *', '"25" at offset 4: a step of the hour is a number from 1 to 24'],
    ['0 0 * * */8', '"8" at offset 10: a step of the day of week is a number from 1 to 7'],
    ['0-59/0.0001 * * * *', '"0.0001" at offset 5: a step'],
    ['*/5/2 * * * *', '"*/5/2" at offset 0: one step is enough'],
    ['*/ * * * *', '"" at offset 2: a step'],
    ['1,,2 * * * *', '"1,,2" at offset 0: nothing between the commas at offset 2'],
    ['1, * * * *', 'nothing between the commas at offset 2'],
    ['*,5 * * * *', '"*" at offset 0: stands for every value'],
    ['0 0 ?,5 * *', '"?" at offset 4: stands for every value'],
    ['5-1 * * * *', '"5-1" at offset 0: a range may not wrap around: write 5-59,0-1'],
    ['0 22-2 * * *', '"22-2" at offset 2: a range may not wrap around: write 22-23,0-2'],
    ['0 9 * * FRI-MON', '"FRI-MON" at offset 8: a range may not wrap around: write FRI,SAT,SUN,MON'],
    ['0 9 * NOV-FEB *', 'a range may not wrap around: write NOV,DEC,JAN,FEB'],
    ['0 9 * * 6-0', 'a range may not wrap around: write SAT,SUN'],
    ['0 9 * * MON-FRI-SUN', '"FRI-SUN" at offset 12: the day of week'],
    ['0 0 L-0 * *', '"L-0" at offset 4: write L (last day)'],
    ['0 0 L-31 * *', '"L-31" at offset 4: write L (last day)'],
    ['0 0 L-3W * *', '"L-3W" at offset 4: write L (last day)'],
    ['0 0 0W * *', '"0" at offset 4: the day of month runs from 1 to 31'],
    ['0 0 1-5W * *', '"1-5" at offset 4: the day of month'],
    ['0 0 W * *', '"" at offset 4: the day of month'],
    ['0 0 * * L', '"L" at offset 8: write SAT for Saturday or 6L for the last Saturday of the month'],
    ['0 0 * * 1#6', '"1#6" at offset 8: write 1#1 to 1#5'],
    ['0 0 * * 1#', '"1#" at offset 8: write 1#1 to 1#5'],
    ['0 0 * * MON-FRI#1', '"MON-FRI" at offset 8: the day of week'],
    ['0 L * * *', '"L" at offset 2: the hour runs from 0 to 23; L, W and # belong to the days'],
    ['0 0 * FOO *', '"FOO" at offset 6: the month'],
    ['H * * * *', '"H" at offset 0: the minute runs from 0 to 59; H is not supported, use the jitter'],
    ['H(0-30) * * * *', 'H is not supported'],
    ['@every 5m', '"@every" at offset 0: use a trigger of type INTERVAL with "every"'],
    ['@reboot', '"@reboot" at offset 0: a service has no reboot'],
    ['@dayly', '"@dayly" at offset 0: unknown macro, there are @yearly, @annually, @monthly'],
    ['@daily 5', '"5" at offset 7: nothing may follow a macro'],
    ['CRON_TZ=UTC 0 9 * * *', '"CRON_TZ=UTC" at offset 0: the zone is the field tz of the schedule'],
    ['0 9 * * *\n', '"*\\n" at offset 8: the day of week'],
    ['０ 9 * * *', '"０" at offset 0: the minute'],
    [`0 9 * * ${'1,'.repeat(300)}1`, 'longer than 512 characters'],
  ])('%j is refused: %s', (text, message) => {
    expect(refusal(() => cron(text))).toContain(
      `trigger.cron ${message.startsWith('nothing') || message.startsWith('a range') || message.startsWith('H is') ? '' : message}`,
    );
    expect(refusal(() => cron(text))).toContain(message);
  });

  it.each([
    '0 9 * * *',
    ' 0  9\t* * * ',
    '59 23 31 12 7',
    '0 0 1-31/31 * *',
    '*/60 */24 */31 */12 */7',
    '? ? ? ? ?',
    '0 0 31W,LW,L-30 * 0#5,6L',
  ])('%j is readable', (text) => {
    expect(refusal(() => cron(text))).toBe('accepted');
  });
});
