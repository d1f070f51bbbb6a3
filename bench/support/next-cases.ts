/** What the benchmark `next` asks for: distinct expressions of everyday shapes, each in one of many zones, and instants to ask from. */
export interface Question {
  readonly text: string;
  readonly tz: string;
}

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'Europe/Paris',
  'Europe/Kyiv',
  'Europe/Istanbul',
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Sao_Paulo',
  'America/Mexico_City',
  'America/Bogota',
  'Africa/Cairo',
  'Africa/Lagos',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Asia/Shanghai',
  'Asia/Singapore',
  'Asia/Dubai',
  'Australia/Sydney',
  'Australia/Adelaide',
  'Pacific/Auckland',
  'America/Halifax',
];
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const START_2026 = Date.UTC(2026, 0, 1);
const YEAR_SEC = 365 * 86_400;

/** The same numbers in every run (mulberry32). */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Distinct cron expressions that all contenders can read. */
export function cronQuestions(count: number, below: (limit: number) => number): Question[] {
  const shapes = [
    () => `${below(60)} ${below(24)} * * *`,
    () => `${below(60)} ${below(24)} * * 1-5`,
    () => `${below(60)} ${below(24)} * * ${below(7)}`,
    () => `${below(60)} ${below(24)} ${1 + below(28)} * *`,
    () => `${below(60)} ${below(24)} ${1 + below(28)} ${1 + below(12)} *`,
    () => `${below(60)} ${below(24)} L * *`,
    () => `${below(60)} ${below(24)} * * ${below(7)}#${1 + below(4)}`,
    () => `${below(30)},${30 + below(30)} ${below(12)}-${12 + below(12)} * * 1-5`,
    () => `*/${[5, 10, 15, 20, 30][below(5)]} ${below(12)}-${12 + below(12)} * * *`,
    () => `${below(60)} */${[2, 3, 4, 6][below(4)]} * * *`,
    () => `${below(60)} * * * *`,
  ];
  return distinct(count, below, () => shapes[below(shapes.length)]?.() ?? '');
}

/** Distinct RRULEs that begin at the end of 2024, `DTSTART` line included; `subDaily` leaves the steps below a day in. */
export function rruleQuestions(count: number, below: (limit: number) => number, subDaily: boolean): Question[] {
  const time = (): string => `BYHOUR=${below(24)};BYMINUTE=${below(60)};BYSECOND=0`;
  const day = (): string => WEEKDAYS[below(7)] ?? 'MO';
  const shapes = [
    () => `FREQ=DAILY;INTERVAL=${1 + below(5)};${time()}`,
    () => `FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;${time()}`,
    () => `FREQ=WEEKLY;INTERVAL=${1 + below(4)};BYDAY=${day()};${time()}`,
    () => `FREQ=MONTHLY;BYMONTHDAY=${1 + below(28)};${time()}`,
    () => `FREQ=MONTHLY;BYMONTHDAY=-${1 + below(5)};${time()}`,
    () => `FREQ=MONTHLY;BYDAY=${1 + below(4)}${day()};${time()}`,
    () => `FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;${time()}`,
    () => `FREQ=YEARLY;BYMONTH=${1 + below(12)};BYMONTHDAY=${1 + below(28)};${time()}`,
    () => `FREQ=YEARLY;BYMONTH=${1 + below(12)};BYDAY=-1${day()};${time()}`,
    ...(subDaily
      ? [
          () => `FREQ=HOURLY;INTERVAL=${1 + below(12)};BYMINUTE=${below(60)}`,
          () => `FREQ=MINUTELY;INTERVAL=${5 + below(50)};BYHOUR=${below(8)},${8 + below(8)},${16 + below(8)}`,
        ]
      : []),
  ];
  return distinct(count, below, () => shapes[below(shapes.length)]?.() ?? '');
}

/** An instant of 2026. */
export function cursor(below: (limit: number) => number): number {
  return START_2026 + below(YEAR_SEC) * 1000;
}

function distinct(count: number, below: (limit: number) => number, text: () => string): Question[] {
  const found = new Map<string, Question>();
  while (found.size < count) {
    const question = { text: text(), tz: ZONES[below(ZONES.length)] ?? 'UTC' };
    found.set(question.text, question);
  }
  return [...found.values()];
}
