import type { CrashPoint } from '../../src/domain/crash-point.ts';
import { ALL_KEPT, isAtRest } from '../support/every-second.ts';
import { type Fault, judge } from '../support/history.ts';
import { until } from '../support/until.ts';
import type { Hit, Mode, Step } from './arming.ts';
import { type Company, type FaultNode, type Lane, LEASE_MS } from './lane.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';
import { Story } from './story.ts';

/** One crash: at which point, reached by which course of events, how, and who else is there. */
export interface FaultCase {
  readonly point: CrashPoint;
  readonly scenario: ScenarioName;
  readonly mode: Mode;
  readonly company: Company;
}

/** What became of it. `problems`: every promise that was not kept; none: all is well. */
export interface FaultResult {
  readonly of: FaultCase;
  readonly problems: readonly string[];
  /** From the crash until nothing was open any more; null when that did not come. */
  readonly restMs: number | null;
  readonly runs: number;
  readonly deliveries: number;
}

const HIT_WITHIN_MS = 180_000;
/** So long a process stands still: well beyond its lease. */
const STOPPED_MS = 2.2 * LEASE_MS;
/** A crashed process's connections, claims and requests are gone after this long. */
const FAULT_TAIL_MS = LEASE_MS + 6_000;
/** Upkeep looks once a minute at what has to be repaired. */
const REST_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 40;
/** The clocks of the receiver and of the database are one; their readings are rounded. */
const CLOCK_ERROR_MS = 2;

let told = 0;

/** Runs one case on a lane that is at rest, and leaves it at rest unless it says otherwise. */
export async function tryCase(lane: Lane, of: FaultCase): Promise<FaultResult> {
  told += 1;
  const story = new Story(lane, `case-${told}`);
  const scenario: Scenario = SCENARIOS[of.scenario];
  let restMs: number | null = null;
  const problems: string[] = [];
  try {
    await lane.fill();
    // A lease of a second may also end because the machine does much else: that is a fault like the others.
    const beganAt = Date.now();
    const hits = await played(story, scenario, of);
    const crashedAt = hits.at(-1)?.at ?? Number.NaN;
    await until('everything is at rest', () => hasRested(story), REST_WITHIN_MS, LOOK_EVERY_MS);
    restMs = Date.now() - crashedAt;
    problems.push(...(await broken(story, { from: beganAt, to: Date.now() + FAULT_TAIL_MS })));
    problems.push(...deaths(lane, of, hits));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error), await leftOpen(lane), lane.output());
  } finally {
    lane.arming.disarm();
  }
  const runs = await story.runs();
  return { of, problems, restMs, runs: runs.length, deliveries: lane.targets.received(story.name).length };
}

/** Lets the scenario happen until the process that crashed is as well as it will be. Answers the steps that were taken. */
async function played(story: Story, scenario: Scenario, of: FaultCase): Promise<readonly Hit[]> {
  const { lane } = story;
  const steps = stepsOf(scenario, of);
  lane.arming.arm(steps);
  await scenario.begin(story);
  const acting = scenario.act?.(story) ?? Promise.resolve();
  acting.catch(() => undefined);
  await until(`the point ${of.point} is hit`, () => lane.arming.hits().length === steps.length, HIT_WITHIN_MS);
  const hits = lane.arming.hits();
  const victim = lane.nodeOf(hits.at(-1)?.pid ?? 0);
  if (victim === undefined) throw new Error('an unknown process was hit');
  await endured(victim, of.mode, hits.at(-1)?.at ?? 0);
  if (scenario.isShutdown === true) await until('the process has ended', () => victim.isGone, HIT_WITHIN_MS);
  if (lane.company === 'alone') await lane.fill();
  await acting;
  return hits;
}

function stepsOf({ prelude = [], writes }: Scenario, { point, mode }: FaultCase): readonly Step[] {
  const written: readonly Step[] =
    writes !== undefined && point === 'request.after-commit' ? [{ point: writes, mode: 'pass' }] : [];
  return [...prelude, ...written, { point, mode }];
}

async function endured(victim: FaultNode, mode: Mode, at: number): Promise<void> {
  if (mode === 'kill') await until('the process is gone', () => victim.isGone, HIT_WITHIN_MS);
  if (mode === 'stop') {
    await until('its lease is long over', () => Date.now() > at + STOPPED_MS);
    victim.process.signal('SIGCONT');
  }
}

async function hasRested(story: Story): Promise<boolean> {
  const { lane, name } = story;
  if (lane.targets.pending(name) > 0 || !(await isAtRest(lane.sql))) return false;
  const [row] = await lane.sql<{ open: number }[]>`
    select ((select count(*) from backfills) + (select count(*) from redrives where state = 'RUNNING'))::int as open`;
  return row?.open === 0;
}

/** What the checker finds. */
async function broken(story: Story, fault: Fault): Promise<readonly string[]> {
  const runs = await story.runs();
  const received = story.lane.targets.received(story.name);
  const { expected, chains } = story;
  const possible = story.possible(runs);
  const history = { expected, chains, possible, runs, received, faults: [fault], clockErrorMs: CLOCK_ERROR_MS };
  const verdict = judge(history);
  return Object.entries(verdict).flatMap(([promise, names]) =>
    JSON.stringify(names) === JSON.stringify(ALL_KEPT[promise as keyof typeof ALL_KEPT])
      ? []
      : [`${promise}: ${names.join(', ')}`],
  );
}

/** Only a kill and a shutdown end a process. */
function deaths(lane: Lane, of: FaultCase, hits: readonly Hit[]): readonly string[] {
  const victim = lane.nodeOf(hits.at(-1)?.pid ?? 0);
  const mayEnd = of.mode === 'kill' || of.scenario === 'shutdown';
  return mayEnd || victim?.isGone === false ? [] : [`the process ended by itself:\n${lane.output()}`];
}

async function leftOpen(lane: Lane): Promise<string> {
  const [row] = await lane.sql`
    select (select json_agg(t) from timers t) as timers, (select json_agg(r) from retries r) as retries, (select json_agg(c) from claims c) as claims,
           (select json_agg(b) from backfills b) as backfills,
           (select json_agg(json_build_array(r.schedule_id, r.slot, r.space, r.state, r.claim_id)) from runs r where state in ('PENDING', 'RUNNING', 'RETRYING')) as runs`;
  return `left open: ${JSON.stringify(row)}`;
}
