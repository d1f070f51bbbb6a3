import { parseArgs } from 'node:util';
import { startTestPostgres } from '../support/test-postgres.ts';
import { allCases, dailyCases, tableOf, tryAll } from './matrix.ts';
import type { FaultCase, FaultResult } from './trial.ts';

/* `npm run test:faults`: crashes the service at every point and asks the checker what became of its promises. */

const { values: asked } = parseArgs({
  options: {
    point: { type: 'string' },
    scenario: { type: 'string' },
    mode: { type: 'string' },
    company: { type: 'string' },
    lanes: { type: 'string', default: '4' },
    seed: { type: 'string' },
    others: { type: 'string', default: '24' },
  },
});

function isAsked(one: FaultCase): boolean {
  const { point, scenario, mode, company } = asked;
  const wanted = { point, scenario, mode, company };
  return Object.entries(wanted).every(
    ([name, value]) => value === undefined || one[name as keyof FaultCase].startsWith(value),
  );
}

const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
const results: FaultResult[] = [];
const cases = (asked.seed === undefined ? allCases() : dailyCases(Number(asked.seed), Number(asked.others))).filter(
  isAsked,
);
if (cases.length === 0) throw new Error('no case is called so');
const server = await startTestPostgres();
const lanes = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lanes.abort());
try {
  await tryAll(server, cases, { lanes: Number(asked.lanes), signal: lanes.signal }, (result) => {
    results.push(result);
    const { point, scenario, mode, company } = result.of;
    const state = result.problems.length > 0 ? 'FAILED' : 'kept';
    console.log(`${results.length}/${cases.length} ${seconds()} ${state} ${scenario} ${point} ${mode} ${company}`);
    for (const problem of result.problems) console.log(`    ${problem}`);
  });
} finally {
  await server.stop();
}
const failed = results.filter(({ problems }) => problems.length > 0).length;
const total = (of: (result: FaultResult) => number): number => results.reduce((sum, result) => sum + of(result), 0);
console.log(`\n${tableOf(results)}\n`);
console.log(
  `${results.length} cases in ${seconds()}: ${total((one) => one.runs)} runs, ${total((one) => one.deliveries)} deliveries, ${failed} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
