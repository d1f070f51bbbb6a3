import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';

const SUPERVISOR = new URL('../../src/infra/db/embedded-postgres.ts', import.meta.url).href;
const HOLD = `
  const { startEmbeddedPostgres } = await import(process.argv[1]);
  const { url } = await startEmbeddedPostgres({ dataDir: process.argv[2] });
  console.log(url);
  setInterval(() => undefined, 1000);`;

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-embedded-`));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('the embedded PostgreSQL', () => {
  it('keeps its data from one start to the next', async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();

    const second = await startEmbeddedPostgres({ dataDir });
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('gives a role that is no superuser and can act as the roles it creates', async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    const statement = `
      create role acting nologin; grant acting to current_user; set role acting;
      select current_user::text as acting, rolsuper, rolbypassrls from pg_roles where rolname = session_user`;
    const answers = await query(server.url, statement);
    expect(answers.at(-1)).toEqual([{ acting: 'acting', rolsuper: false, rolbypassrls: false }]);
    await server.stop();
  });

  it('is joined by a second process, which leaves it running', async () => {
    const owner = await startEmbeddedPostgres({ dataDir });
    const guest = await startEmbeddedPostgres({ dataDir });
    await guest.stop();

    expect(guest.url).toBe(owner.url);
    expect(await query(owner.url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
    await owner.stop();
  });

  it.runIf(process.platform === 'linux')('dies with a process that is killed, and starts again at once', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, SUPERVISOR, dataDir]);
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    await query(line.trim(), 'create table kept as select 42 as answer');
    const orphan = await postmasterPid();
    child.kill('SIGKILL');
    await once(child, 'exit');

    const next = await startEmbeddedPostgres({ dataDir });
    expect(await query(next.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await postmasterPid()).not.toBe(orphan);
    await next.stop();
  });

  it('starts although the process number its last server left behind is now another program’s', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    await writeFile(pidFile(), `${process.pid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n\nready\n`);

    const server = await startEmbeddedPostgres({ dataDir });
    expect(await query(server.url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
    await server.stop();
  });

  it('refuses the data of another version in one line that asks for POSTGRES_URL', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    await writeFile(join(dataDir, 'postgres', 'cluster', 'PG_VERSION'), '15\n');

    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/^[^\n]*PostgreSQL 15[^\n]*POSTGRES_URL[^\n]*$/);
  });

  it('gives up a start when told to', async () => {
    await expect(startEmbeddedPostgres({ dataDir, signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(readFile(pidFile())).rejects.toThrow();
  });
});

function pidFile(): string {
  return join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
}

async function postmasterPid(): Promise<string | undefined> {
  return (await readFile(pidFile(), 'utf8')).split('\n')[0];
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end();
  }
}
