import { expect, it } from 'vitest';
import { askServiceDesk } from '../support/services.ts';
import type { TestPostgres } from '../support/test-postgres.ts';
import { dailyCases, tryAll } from './matrix.ts';

/*
 * Every crash point with kill -9, alone and in company by turns, and a sample of the rest. `npm run test:faults` runs all of
 * it; the same with `-- --seed N` runs what this test ran.
 */

const SEED = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const OTHERS = 12;
const LANES = 4;

it(`keeps every promise through a crash at every point (seed ${SEED})`, { timeout: 840_000 }, async ({ signal }) => {
  const server = await askServiceDesk<Omit<TestPostgres, 'stop'>>('postgres');
  const cases = dailyCases(SEED, OTHERS);
  const broken: string[] = [];
  let tried = 0;
  await tryAll(server, cases, { lanes: LANES, signal }, ({ of, problems }) => {
    tried += 1;
    const name = `${of.scenario} ${of.point} ${of.mode} ${of.company}`;
    if (problems.length > 0) broken.push(`${name}:\n${problems.join('\n')}`);
  });
  expect(broken, `seed ${SEED}`).toEqual([]);
  expect(tried).toBe(cases.length);
  console.log(`crash points, seed ${SEED}: ${tried} cases, every promise kept`);
});
