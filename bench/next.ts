import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { RRuleTemporal } from 'rrule-temporal';
import { type CompiledTrigger, compileTrigger, nextSlot } from '../src/domain/time/compile.ts';
import { cronQuestions, cursor, type Question, randomFrom, rruleQuestions } from './support/next-cases.ts';
import { median, report } from './support/table.ts';

/*
 * The next slot from a random instant, over a thousand expressions made ready before. Contenders take turns; each answers the same questions in
 * the same order for as long as its turn lasts. CPU time of the process, so that neighbours disturb less.
 */

const EXPRESSIONS = 1200;
const REPETITIONS = 3;
const TURN_MS = 1000;
const DTSTART = '20241231T000000';
const SEED = 2026;

/** Its ES module has no default export and its CommonJS one no names that Node can see. */
const { rrulestr } = createRequire(import.meta.url)('rrule') as typeof import('rrule');

interface Contender {
  readonly kind: 'cron' | 'rrule';
  readonly name: string;
  /** Makes an expression ready and answers how to ask it; throws where it cannot be read. */
  readonly ready: (question: Question) => (after: number) => unknown;
}

const ours =
  (trigger: CompiledTrigger): ((after: number) => unknown) =>
  (after) =>
    nextSlot(trigger, after);
const block = ({ text, tz }: Question): string => `DTSTART;TZID=${tz}:${DTSTART}\nRRULE:${text}`;

const CONTENDERS: readonly Contender[] = [
  { kind: 'cron', name: 'ours', ready: ({ text, tz }) => ours(compileTrigger({ type: 'CRON', cron: text }, { tz })) },
  {
    kind: 'cron',
    name: 'cron-parser',
    ready: ({ text, tz }) => {
      const expression = CronExpressionParser.parse(text, { tz });
      return (after) => {
        expression.reset(new Date(after));
        return expression.next();
      };
    },
  },
  {
    kind: 'cron',
    name: 'croner',
    ready: ({ text, tz }) => {
      const expression = new Cron(text, { timezone: tz, mode: '5-or-6-parts' });
      return (after) => expression.nextRun(new Date(after));
    },
  },
  {
    kind: 'rrule',
    name: 'ours',
    ready: ({ text, tz }) => ours(compileTrigger({ type: 'RRULE', rrule: text, dtstart: DTSTART }, { tz })),
  },
  {
    kind: 'rrule',
    name: 'rrule-temporal',
    ready: (question) => {
      const rule = new RRuleTemporal({ rruleString: block(question) });
      return (after) => rule.next(new Date(after));
    },
  },
  {
    kind: 'rrule',
    name: 'rrule',
    ready: (question) => {
      const rule = rrulestr(block(question), { cache: false });
      return (after) => rule.after(new Date(after));
    },
  },
];

const questions = {
  cron: cronQuestions(EXPRESSIONS, randomFrom(SEED)),
  // One answer of `rrule` to a rule of minutes takes seconds: it is left out of those.
  rrule: rruleQuestions(EXPRESSIONS, randomFrom(SEED), true),
  rruleOfDays: rruleQuestions(EXPRESSIONS, randomFrom(SEED), false),
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const measured = CONTENDERS.map((contender) => {
  const asked = contender.name === 'rrule' ? questions.rruleOfDays : questions[contender.kind];
  for (const question of asked.slice(0, 200)) contender.ready(question);
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  const startedAt = process.cpuUsage();
  const ready = asked.map((question) => contender.ready(question));
  const parseUs = cpuUsSince(startedAt) / asked.length;
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / asked.length;
  return { contender, ready, parseUs, bytes, nextUs: [] as number[] };
});

for (let repetition = 0; repetition < REPETITIONS; repetition++) {
  for (const { ready, nextUs } of measured) nextUs.push(turn(ready, repetition));
}

const oursUs = new Map(
  measured
    .filter(({ contender }) => contender.name === 'ours')
    .map(({ contender, nextUs }) => [contender.kind, median(nextUs)]),
);
report(
  'next',
  measured.map(({ contender, parseUs, bytes, nextUs }) => ({
    kind: contender.kind,
    contender: contender.name,
    'next, µs (median)': Number(median(nextUs).toPrecision(3)),
    'all repetitions, µs': nextUs.map((us) => us.toPrecision(3)).join(' '),
    'theirs / ours': Number((median(nextUs) / (oursUs.get(contender.kind) ?? Number.NaN)).toPrecision(3)),
    'parse, µs': Number(parseUs.toPrecision(3)),
    'bytes each, zones included': Math.round(bytes),
  })),
  [
    `${EXPRESSIONS} distinct expressions in 24 zones, random instants of 2026, DTSTART ${DTSTART}, ${REPETITIONS} repetitions of ${TURN_MS} ms.`,
    'rrule answers rules of days and more only, the others those of hours and minutes too.',
  ],
);

/** CPU µs an answer, over one contender's turn. */
function turn(ready: readonly ((after: number) => unknown)[], repetition: number): number {
  const below = randomFrom(SEED + repetition);
  const cursors = Array.from({ length: 4096 }, () => cursor(below));
  const order = Array.from({ length: 4096 }, () => below(ready.length));
  let answers = 0;
  const startedAt = process.cpuUsage();
  // The clock is read once a batch, and batches grow until reading it costs nothing.
  const ends = performance.now() + TURN_MS;
  for (let batch = 1; performance.now() < ends; batch = Math.min(batch * 2, answers < 1000 ? 8 : 1024)) {
    for (const last = answers + batch; answers < last; answers++) {
      ready[order[answers % 4096] ?? 0]?.(cursors[answers % 4096] ?? 0);
    }
  }
  return cpuUsSince(startedAt) / answers;
}

function cpuUsSince(startedAt: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(startedAt);
  return used.user + used.system;
}
