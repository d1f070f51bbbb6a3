import type { History } from '../history.ts';
import { misdated } from './calendars.ts';
import { type Creation, checkCreation } from './creation.ts';
import { checkDeliveries, type Deliveries } from './deliveries.ts';
import { checkEndings } from './endings.ts';
import { concerns, type Facts, factsOf, recoveryMs } from './facts.ts';
import { redeliveries } from './recovery.ts';
import { checkRequests, countRequests } from './requests.ts';

/** What a campaign may do wrong, each with the slots, runs or schedules concerned; all empty: the promises held. */
export interface Violations {
  readonly lost: readonly string[];
  readonly createdTwice: readonly string[];
  readonly invented: readonly string[];
  readonly brokenChain: readonly string[];
  readonly misdated: readonly string[];
  readonly early: readonly string[];
  readonly late: readonly string[];
  readonly changed: readonly string[];
  readonly unexplainedDuplicate: readonly string[];
  readonly staleOutcome: readonly string[];
  readonly stuck: readonly string[];
  readonly silentSkip: readonly string[];
  readonly successWithoutAnswer: readonly string[];
  readonly overlapping: readonly string[];
  readonly lostRequest: readonly string[];
  readonly crashed: readonly string[];
}

export interface Verdict {
  readonly violations: Violations;
  /** What was there to be judged, so that an empty list of violations says something. */
  readonly counts: Readonly<Record<string, number>>;
  readonly latenessMs: Spread;
  /** Of runs that met no fault, no start and no crowd. */
  readonly calmLatenessMs: Spread;
  /** From a kill -9 to the next delivery of what the node held, where nothing else was broken. */
  readonly redeliveredMs: Spread;
  /** What is promised for it. */
  readonly recoveryBoundMs: number;
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Compares what was asked for, what the database holds and what arrived. Holds no scheduling code of the service. */
export function judge(history: History): Verdict {
  const facts = factsOf(history);
  const creation = checkCreation(facts);
  const deliveries = checkDeliveries(facts);
  const endings = checkEndings(facts);
  const requests = checkRequests(facts);
  const recovered = redeliveries(facts);
  return {
    violations: {
      lost: creation.lost,
      createdTwice: creation.createdTwice,
      invented: [...creation.invented, ...requests.inventedRun],
      brokenChain: creation.brokenChain,
      misdated: misdated(facts),
      early: deliveries.early,
      late: deliveries.late,
      changed: deliveries.changed,
      unexplainedDuplicate: deliveries.unexplainedDuplicate,
      staleOutcome: deliveries.staleOutcome,
      ...endings,
      lostRequest: requests.lostRequest,
      crashed: [
        ...history.crashes,
        ...history.exitCodes.filter((code) => code !== 0).map((code) => `a node told to end ended with ${code}`),
        ...unorderlyStops(history),
      ],
    },
    counts: countsOf(facts, { creation, deliveries, recovered }),
    latenessMs: spreadOf(deliveries.lateness),
    calmLatenessMs: spreadOf(deliveries.calm),
    redeliveredMs: spreadOf(recovered.flat()),
    recoveryBoundMs: recoveryMs(history),
  };
}

interface Checked {
  readonly creation: Creation;
  readonly deliveries: Deliveries;
  readonly recovered: readonly (readonly number[])[];
}

function countsOf(facts: Facts, { creation, deliveries, recovered }: Checked): Readonly<Record<string, number>> {
  const { history } = facts;
  return Object.fromEntries([
    ...prefixed('slots', creation.expected),
    ...prefixed('records', recordCounts(facts)),
    ...prefixed('overlap', overlapCounts(facts)),
    ...prefixed('duplicates explained by', deliveries.explained),
    ...prefixed('faults', faultCounts(history)),
    ...prefixed('requests', countRequests(history.operations)),
    ['deliveries', history.deliveries.length],
    ['messages', history.published.length],
    ['kills that left work behind, nothing else broken', recovered.length],
    ['lateness judged', deliveries.lateness.length],
    ['lateness judged, no fault in sight', deliveries.calm.length],
    ['nodes that ended in order', history.stops.filter(({ code }) => code === 0).length],
  ]);
}

/** A node may end badly only while something else hurt it. */
function unorderlyStops({ stops, faults }: History): readonly string[] {
  return stops
    .filter(({ node, code, from, to }) => code !== 0 && !faults.some((fault) => concerns(fault, node, from, to)))
    .map(({ node, code }) => `${node}, told to end, ended with ${code}`);
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

function recordCounts({ history, holds }: Facts): ReadonlyMap<string, number> {
  const counts = new Map(
    countBy(history.runs, ({ state, reason }) => (reason === null ? state : `${state} ${reason}`)),
  );
  const more = {
    manual: history.runs.filter(({ cause }) => cause === 'MANUAL').length,
    backfilled: history.runs.filter(({ cause }) => cause === 'BACKFILL').length,
    'caught up': history.runs.filter(({ cause }) => cause === 'CATCH_UP').length,
    'tried again': history.runs.filter(({ attempts }) => attempts.length > 1).length,
    'taken over': history.runs.filter(({ id }) => (holds.get(id) ?? []).some(({ fence }) => fence > 1)).length,
    'in a range': history.runs.filter(({ range }) => range !== null).length,
  };
  for (const [name, count] of Object.entries(more)) counts.set(name, count);
  return counts;
}

/** Runs by the policy of their schedule. */
function overlapCounts({ subjects }: Facts): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { plan, slots } of subjects) counts.set(plan.overlap, (counts.get(plan.overlap) ?? 0) + slots.length);
  return counts;
}

function faultCounts({ faults }: History): ReadonlyMap<string, number> {
  return countBy(faults, ({ kind }) => kind);
}

function countBy<T>(all: readonly T[], name: (one: T) => string): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(all, name)].map(([key, group]) => [key, group.length]));
}

function prefixed(prefix: string, counts: ReadonlyMap<string, number>): readonly [string, number][] {
  return [...counts].map(([name, count]) => [`${prefix}: ${name}`, count]);
}
