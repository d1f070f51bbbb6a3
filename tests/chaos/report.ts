import type { Spread, Verdict } from './check/judge.ts';

/** What a campaign of any length must have met for its verdict to mean something. */
const WANTED = [
  'slots: INTERVAL',
  'slots: CRON',
  'slots: RRULE',
  'slots: FIXED_DELAY',
  'slots: ONE_SHOT',
  'overlap: SKIP',
  'overlap: BUFFER_ONE',
  'overlap: BUFFER_ALL',
  'overlap: CANCEL_OTHER',
  'overlap: ALLOW_ALL',
  'records: SUCCEEDED',
  'records: SKIPPED OVERLAP',
  'records: CANCELLED OVERLAP',
  'records: SKIPPED CALENDAR',
  'records: manual',
  'records: backfilled',
  'records: tried again',
  'records: taken over',
];
/** Wanted too where nobody else uses the machine. */
const WANTED_IN_PEACE = 'lateness judged, no fault in sight';

/** What was wanted and not met. */
export function vacuous({ counts }: Verdict): readonly string[] {
  const wanted = counts['faults: load'] === undefined ? [...WANTED, WANTED_IN_PEACE] : WANTED;
  return wanted.filter((name) => (counts[name] ?? 0) === 0);
}

/** Of kills alone: that the work of a killed node was delivered again within a lease and two seconds, at the 99th percentile. */
export function unprovenRecovery({ redeliveredMs: { count, p99 }, recoveryBoundMs }: Verdict): readonly string[] {
  return count > 0 && p99 <= recoveryBoundMs ? [] : ['delivered again in time'];
}

export function isClean({ violations }: Verdict): boolean {
  return Object.values(violations).every((all: readonly string[]) => all.length === 0);
}

/** The verdict as text: every violation by name, then what there was to be judged, and what was not. */
export function reportOf(verdict: Verdict, seed: number, unproven: readonly string[]): string {
  const { violations, counts, latenessMs, calmLatenessMs, redeliveredMs, recoveryBoundMs } = verdict;
  const named = Object.entries(violations).flatMap(([kind, all]: [string, readonly string[]]) => [
    `  ${kind}: ${all.length}`,
    ...all.slice(0, 10).map((one) => `      ${one}`),
  ]);
  const counted = Object.entries(counts)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `  ${name}: ${count}`);
  return [
    `violations, seed ${seed}`,
    ...named,
    'judged',
    ...counted,
    `  late by ms: ${spread(latenessMs)}`,
    `  late by ms, no fault in sight: ${spread(calmLatenessMs)}`,
    `  delivered again after a kill by ms: ${spread(redeliveredMs)}; promised within ${recoveryBoundMs}`,
    ...unproven.map((name) => `  !! VACUOUS: ${name}`),
    isClean(verdict) ? 'verdict: every promise held' : 'verdict: VIOLATED',
  ].join('\n');
}

function spread({ count, p50, p99, max }: Spread): string {
  return `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, most ${max.toFixed(0)} of ${count}`;
}
