import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/* `npm run bench` lists the benchmarks; `npm run bench -- NAME [options]` runs one. Each is a file beside this one. */

const here = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -3));
const [name, ...options] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  console.log(`benchmarks: ${names.join(', ')}\nrun one with: npm run bench -- NAME`);
  process.exitCode = name === undefined ? 0 : 1;
} else {
  const child = spawn(process.execPath, [`${here}${name}.ts`, ...options], { stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
