import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { judge } from './check/judge.ts';
import { keepHistory } from './keep.ts';
import { planCampaign } from './plan.ts';
import { isClean, reportOf, vacuous } from './report.ts';

/* A short campaign: three processes on one database, everything around them breaking. `npm run test:chaos` runs long ones. */

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_126);
const STEPS = 60;

it(`keeps every promise over ${STEPS} steps of faults and requests (CHAOS_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  const said: string[] = [];
  const history = await runCampaign({
    seed: SEED,
    plan: (frame) => planCampaign({ ...frame, steps: STEPS, scale: 0.4 }),
    say: (line) => said.push(line),
  });
  const verdict = judge(history);
  const unproven = vacuous(verdict);
  const report = reportOf(verdict, SEED, unproven);
  if (!isClean(verdict)) said.push(`the history is kept in ${await keepHistory(history, SEED)}`);
  expect(isClean(verdict), `${said.join('\n')}\n${report}`).toBe(true);
  expect(unproven, report).toEqual([]);
  console.log(report);
});
