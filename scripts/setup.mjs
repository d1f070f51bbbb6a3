// Makes a fresh clone ready: `npm start`, `npm test` and the other scripts call this first. Plain ESM, Node 18 or later,
// nothing but Node's own modules, since it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.setup-stamp');
const lock = readFileSync(join(root, 'package-lock.json'));
const wanted = createHash('sha256').update(lock).digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8').trim() !== wanted) {
  if (!isInstalled()) {
    install();
  }
  linkNode();
  installHooks();
  writeFileSync(stamp, `${wanted}\n`);
}

/** Whether npm's own record of node_modules is what the lock file asks for, as after `npm install <package>`. */
function isInstalled() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) {
    return false;
  }
  const found = JSON.parse(readFileSync(record, 'utf8')).packages;
  const asked = Object.entries(JSON.parse(lock.toString('utf8')).packages).filter(([path]) => path !== '');
  const extra = Object.keys(found).some((path) => !asked.some(([other]) => other === path));
  return !extra && asked.every(([path, entry]) => isSame(found[path], entry));
}

function isSame(found, entry) {
  return found === undefined
    ? entry.optional === true || entry.devOptional === true
    : found.version === entry.version && found.integrity === entry.integrity && found.resolved === entry.resolved;
}

function install() {
  console.log('Installing the locked dependencies (once, and after package-lock.json changes) …');
  const started = Date.now();
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  const args = ['ci', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const { status, error } = npm
    ? spawnSync(node ?? process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`npm ci failed${error ? `: ${error.message}` : ''}; see its output above`);
    process.exit(1);
  }
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** npm 10 does not link the `node` that @local/node-runtime brings; npm 11 does. */
function linkNode() {
  const bin = join(modules, '.bin');
  const link = join(bin, 'node');
  if (existsSync(link) || existsSync(`${link}.cmd`)) {
    return;
  }
  const runtime = JSON.parse(readFileSync(join(root, 'tools/runtime/package.json'), 'utf8'));
  const folders = Object.keys(runtime.optionalDependencies).map((name) => findPackage(name));
  const folder = folders.find((path) => path !== undefined);
  if (folder === undefined) {
    console.error(`no Node ${runtime.version} for ${process.platform}-${process.arch}; install Node 26 yourself`);
    return;
  }
  mkdirSync(bin, { recursive: true });
  if (process.platform === 'win32') {
    writeFileSync(`${link}.cmd`, `@"${join(folder, 'bin', 'node.exe')}" %*\r\n`);
  } else {
    symlinkSync(relative(bin, join(folder, 'bin', 'node')), link);
  }
}

/** npm hoists what a local package depends on, except where it cannot. */
function findPackage(name) {
  const places = [modules, join(root, 'tools/runtime/node_modules'), join(modules, '@local/node-runtime/node_modules')];
  return places.map((place) => join(place, name)).find((path) => existsSync(path) && readdirSync(path).includes('bin'));
}

/** Git runs scripts/hooks in a checkout; a hooks path somebody chose stays, and a build server commits nothing. */
function installHooks() {
  if (process.env.CI || !existsSync(join(root, '.git'))) {
    return;
  }
  const git = (...args) => spawnSync('git', ['-C', root, 'config', ...args], { encoding: 'utf8' });
  if ((git('--get', 'core.hooksPath').stdout ?? '').trim() === '') {
    git('core.hooksPath', 'scripts/hooks');
  }
}
