import type { Random } from './random.ts';

const MONTHS = ['JAN', 'feb', 'Mar', '4', '5', 'jun', 'JUL', '8', 'SEP', '10', '11', 'dec'];
const WEEKDAYS = ['sun', 'MON', '2', '3', 'Thu', '5', 'SAT', '0', '7'];

/** An expression of any shape the grammar has, with seconds in one of three. */
export function randomCron(random: Random): string {
  const { below, chance, list, pick } = random;
  const number = (low: number, high: number): number => low + below(high - low + 1);
  const field = (low: number, high: number): string => {
    if (chance(0.3)) return '*';
    if (chance(0.2)) return `*/${number(1, Math.ceil((high - low) / 2))}`;
    if (chance(0.1)) return `${number(low, high)}/${number(1, high - low)}`;
    return list(3, () => {
      const from = number(low, high);
      if (chance(0.6)) return from;
      return `${from}-${number(from, high)}${chance(0.3) ? `/${number(1, 5)}` : ''}`;
    });
  };
  const monthDay = (): string => {
    if (chance(0.45)) return pick(['*', '*', '?']);
    if (chance(0.5)) return field(1, 31);
    return list(2, () => pick(['L', 'LW', `L-${number(1, 30)}`, `${number(1, 31)}W`, String(number(1, 31))]));
  };
  const weekday = (): string => {
    if (chance(0.45)) return pick(['*', '*', '?']);
    if (chance(0.4)) return pick(['MON-FRI', '1-5/2', '5-7', '0-6', '*/2', '6,0', '2/2', 'TUE-THU']);
    return list(3, () => `${pick(WEEKDAYS)}${pick(['', '', '#1', '#2', '#5', 'L'])}`);
  };
  const month = chance(0.6) ? '*' : list(3, () => pick(MONTHS));
  const expression = `${field(0, 59)} ${field(0, 23)} ${monthDay()} ${month} ${weekday()}`;
  return chance(0.33) ? `${pick(['0', '30', '15,45', '*/20'])} ${expression}` : expression;
}
