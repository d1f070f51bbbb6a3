import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { judge } from './check/judge.ts';
import { keepHistory } from './keep.ts';
import { isClean, reportOf, vacuous } from './report.ts';

/* npm run test:chaos -- --steps N --seed S: a campaign of any length, its verdict, and an exit code. */

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    scale: { type: 'string', default: '1' },
    /** A folder for the history of a campaign that failed. */
    keep: { type: 'string', default: '.data/chaos' },
  },
});
const seed = Number(values.seed);
console.log(`campaign of ${values.steps} steps, seed ${seed}, scale ${values.scale}`);
const history = await runCampaign({
  seed,
  steps: Number(values.steps),
  scale: Number(values.scale),
  say: (line) => console.log(line),
});
const verdict = judge(history);
console.log(reportOf(verdict, seed));
if (!isClean(verdict) || vacuous(verdict).length > 0) {
  const file = await keepHistory(history, seed, values.keep);
  console.log(`the history is kept in ${file}`);
  process.exitCode = 1;
}
