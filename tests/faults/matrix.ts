import { CRASH_POINTS } from '../../src/domain/crash-point.ts';
import { seededRandom } from '../support/random.ts';
import type { TestPostgres } from '../support/test-postgres.ts';
import { MODES, type Mode } from './arming.ts';
import { COMPANIES, type Company, Lane } from './lane.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';
import { type FaultCase, type FaultResult, tryCase } from './trial.ts';

/** Every point of every scenario, in every mode and company. */
export function allCases(): readonly FaultCase[] {
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  return names.flatMap((scenario) =>
    SCENARIOS[scenario].points.flatMap((point) =>
      MODES.flatMap((mode) => COMPANIES.map((company) => ({ point, scenario, mode, company }))),
    ),
  );
}

/** Points that no scenario reaches. */
export function unreachedPoints(): readonly string[] {
  const reached = new Set<string>(allCases().map(({ point }) => point));
  return CRASH_POINTS.filter((point) => !reached.has(point));
}

/** What every change must pass: each point with kill -9, alone and in company by turns, and so many others by chance. */
export function dailyCases(seed: number, others: number): readonly FaultCase[] {
  const all = allCases().filter(isBrief);
  const kills = Map.groupBy(
    all.filter(({ mode }) => mode === 'kill'),
    ({ scenario, point }) => `${scenario} ${point}`,
  );
  const random = seededRandom(seed);
  const turn = random() < 0.5 ? 0 : 1;
  const chosen = [...kills.values()].flatMap((pair, index) => pair[(index + turn) % pair.length] ?? []);
  const rest = all.filter((one) => one.mode !== 'kill' || !chosen.includes(one));
  const drawn = rest.map((one) => ({ one, lot: random() })).toSorted((left, right) => left.lot - right.lot);
  return [...chosen, ...drawn.slice(0, others).map(({ one }) => one)];
}

/** Whoever is left waits for the next minute of upkeep; a process that starts looks at once. */
function isBrief({ scenario, mode, company }: FaultCase): boolean {
  return scenario !== 'repair' || (mode === 'kill' && company === 'alone');
}

/** Tries the cases, on so many lanes at once, until the signal aborts; tells of each result as it comes. */
export async function tryAll(
  server: Omit<TestPostgres, 'stop'>,
  cases: readonly FaultCase[],
  { lanes, signal }: { readonly lanes: number; readonly signal: AbortSignal },
  tell: (result: FaultResult) => void,
): Promise<void> {
  const queues = COMPANIES.map((company) => ({ company, cases: cases.filter((one) => one.company === company) }));
  const total = cases.length;
  const workers = queues.flatMap(({ company, cases: queue }) => {
    const share = queue.length === 0 ? 0 : Math.max(1, Math.round((lanes * queue.length) / total));
    const next = (): FaultCase | undefined => (signal.aborted ? undefined : queue.shift());
    return Array.from({ length: share }, () => work(() => Lane.open(server, company), next, tell));
  });
  await Promise.all(workers);
}

async function work(
  open: () => Promise<Lane>,
  next: () => FaultCase | undefined,
  tell: (result: FaultResult) => void,
): Promise<void> {
  let lane: Lane | null = null;
  try {
    for (let of = next(); of !== undefined; of = next()) {
      lane ??= await open();
      const result = await tryCase(lane, of);
      tell(result);
      if (result.problems.length === 0) continue;
      await lane[Symbol.asyncDispose]();
      lane = null;
    }
  } finally {
    await lane?.[Symbol.asyncDispose]();
  }
}

/** One row for each point of each scenario, a column for each mode and company: seconds to rest, or what went wrong. */
export function tableOf(results: readonly FaultResult[]): string {
  const columns = MODES.flatMap((mode) => COMPANIES.map((company) => ({ mode, company })));
  const rows = [...Map.groupBy(results, ({ of }) => `${of.scenario} | ${of.point}`)];
  const cell = (found: readonly FaultResult[], mode: Mode, company: Company): string => {
    const result = found.find(({ of }) => of.mode === mode && of.company === company);
    if (result === undefined) return '';
    return result.problems.length > 0 ? 'FAILED' : `${((result.restMs ?? 0) / 1000).toFixed(1)} s`;
  };
  return [
    `| scenario | point | ${columns.map(({ mode, company }) => `${mode}, ${company}`).join(' | ')} |`,
    `|---|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map(
      ([name, found]) => `| ${name} | ${columns.map(({ mode, company }) => cell(found, mode, company)).join(' | ')} |`,
    ),
  ].join('\n');
}
