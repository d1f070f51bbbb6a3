import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Takes the crash points of the fault tests out of a build: `node scripts/without-crash-points.mjs dist`. Every call becomes an
 * empty statement, so that lines stay where the source maps say. Fails when anything of them would be left.
 */

const IMPORT = /^import \{ crashPoint \} from '#crash-point';$/m;
const CALL = /\bcrashPoint\('[a-z]+\.[a-z-]+'\);/g;

const [folder = 'dist'] = process.argv.slice(2);
let calls = 0;
for (const name of globSync('domain/crash-point.*', { cwd: folder })) rmSync(join(folder, name));
for (const name of globSync('**/*.js', { cwd: folder })) {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  const left = text.replace(IMPORT, '').replace(CALL, () => {
    calls += 1;
    return ';';
  });
  if (/crash-?point/i.test(left)) throw new Error(`${path} still holds a crash point`);
  if (left !== text) writeFileSync(path, left);
}
if (calls === 0) throw new Error(`there was no crash point in ${folder}`);
