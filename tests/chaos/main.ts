import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { judge } from './check/judge.ts';
import { keepHistory } from './keep.ts';
import { planKills } from './kills.ts';
import { type Frame, planCampaign } from './plan.ts';
import { isClean, reportOf, unprovenRecovery, vacuous } from './report.ts';

/* npm run test:chaos -- --steps N --seed S: a campaign of any length, its verdict, and an exit code. `--kills N`: kills and nothing else. */

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    scale: { type: 'string', default: '1' },
    kills: { type: 'string' },
    lease: { type: 'string' },
    /** A folder for the history of a campaign that failed. */
    keep: { type: 'string', default: '.data/chaos' },
  },
});
const seed = Number(values.seed);
const kills = values.kills === undefined ? null : Number(values.kills);
const plan = (frame: Frame) =>
  kills === null
    ? planCampaign({ ...frame, steps: Number(values.steps), scale: Number(values.scale) })
    : planKills({ ...frame, kills });
const size = kills === null ? `${values.steps} steps, scale ${values.scale}` : `${kills} kills`;
console.log(`campaign of ${size}, seed ${seed}`);
const history = await runCampaign({
  seed,
  plan,
  ...(values.lease !== undefined && { leaseMs: Number(values.lease) }),
  say: (line) => console.log(line),
});
const verdict = judge(history);
const unproven = kills === null ? vacuous(verdict) : unprovenRecovery(verdict);
console.log(reportOf(verdict, seed, unproven));
if (!isClean(verdict) || unproven.length > 0) {
  const file = await keepHistory(history, seed, values.keep);
  console.log(`the history is kept in ${file}`);
  process.exitCode = 1;
}
