import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findViolations, importsOf, LAYERS, type SourceFile } from './layers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources: SourceFile[] = globSync('src/**/*.ts', { cwd: root }).map((name) => {
  const path = name.replaceAll('\\', '/');
  return { path, text: readFileSync(`${root}/${path}`, 'utf8') };
});

describe('the house', () => {
  it('is read: there are sources, and they import each other', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(150);
  });

  it('keeps its import table and its habits', () => {
    expect(findViolations(sources)).toEqual([]);
  });
});

describe('the import table', () => {
  const forbidden: readonly (readonly [path: string, text: string, layer: string])[] = [
    ['src/domain/ids.ts', `import { zone } from './time/zone.ts';`, 'domain/base'],
    ['src/domain/errors.ts', `import { randomUUID } from 'node:crypto';`, 'domain/base'],
    ['src/domain/time/cron.ts', `import { readFileSync } from 'node:fs';`, 'domain/time'],
    ['src/domain/time/cron.ts', `import type { Run } from '../entities/run.ts';`, 'domain/time'],
    ['src/domain/entities/run.ts', `import type { Clock } from '../ports/clock.ts';`, 'domain/entities'],
    ['src/domain/entities/run.ts', `import { v7 } from 'uuid';`, 'domain/entities'],
    ['src/domain/ports/clock.ts', `import { FiringService } from '../services/firing-service.ts';`, 'domain/ports'],
    ['src/domain/ports/clock.ts', `import type { Sql } from 'postgres';`, 'domain/ports'],
    ['src/domain/services/firing-service.ts', `import pLimit from 'p-limit';`, 'domain/services'],
    [
      'src/domain/services/firing-service.ts',
      `import { schedules } from '../../infra/db/schema.ts';`,
      'domain/services',
    ],
    ['src/client/scheduler-client.ts', `import type { Target } from '../domain/entities/target.ts';`, 'client'],
    ['src/app/middleware/tenant.ts', `import { routes } from '../routes/runs.ts';`, 'app/middleware'],
    ['src/app/routes/runs.ts', `import { journal } from '../../infra/telemetry/journal.ts';`, 'app/routes'],
    ['src/app/routes/runs.ts', `import { loop } from '../workers/loop.ts';`, 'app/routes'],
    ['src/app/routes/runs.ts', `import { sql } from 'drizzle-orm';`, 'app/routes'],
    ['src/app/workers/fire.ts', `import { z } from 'zod';`, 'app/workers'],
    ['src/app/workers/fire.ts', `import type { Sql } from '../../infra/db/engine-pool.ts';`, 'app/workers'],
    ['src/app/workers/fire.ts', `import Fastify from 'fastify';`, 'app/workers'],
    ['src/app/server.ts', `import { migrate } from '../infra/db/migrate.ts';`, 'app/server'],
    ['src/infra/messaging/http-sender.ts', `import { guard } from '../security/egress-guard.ts';`, 'infra/messaging'],
    ['src/infra/db/engine-pool.ts', `import { claim } from '../repo/claim-due.ts';`, 'infra/db'],
    ['src/infra/repo/claim-due.ts', `import { bell } from '../messaging/postgres-bell.ts';`, 'infra/repo'],
    ['src/infra/security/secret-box.ts', `import { buildServer } from '../../app/server.ts';`, 'infra/security'],
    ['src/infra/telemetry/metrics.ts', `import type { Config } from '../../config.ts';`, 'infra/telemetry'],
    ['src/app/routes/runs.ts', `import { config } from '../../config.ts';`, 'app/routes'],
    ['src/main.ts', `import { createTestDatabase } from '../tests/support/database.ts';`, 'doors'],
  ];

  it.each(forbidden)('refuses in %s: %s', (path, text, layer) => {
    expect(findViolations([{ path, text }])).toEqual([
      { path, problem: expect.stringContaining(`${layer} may not import`) },
    ]);
  });

  it('has a refused import planted for every row', () => {
    const planted = new Set(forbidden.map(([, , layer]) => layer));
    expect(LAYERS.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([]);
  });

  it('allows what it says', () => {
    const allowed: SourceFile[] = [
      { path: 'src/domain/services/firing-service.ts', text: `import { next } from '../time/next.ts';` },
      {
        path: 'src/app/routes/runs.ts',
        text: `import { z } from 'zod';\nimport { tenant } from '../middleware/tenant.ts';`,
      },
      { path: 'src/infra/repo/claim-due.ts', text: `import { pool } from '../db/engine-pool.ts';` },
      { path: 'src/infra/messaging/http-sender.ts', text: `import { journal } from '../telemetry/journal.ts';` },
      { path: 'src/compose.ts', text: `import { pool } from './infra/db/engine-pool.ts';\nimport './config.ts';` },
    ];
    expect(findViolations(allowed)).toEqual([]);
  });

  it('has a place for every file', () => {
    const problem = 'belongs to no layer';
    expect(findViolations([{ path: 'src/utils/misc.ts', text: '' }])).toEqual([{ path: 'src/utils/misc.ts', problem }]);
    expect(findViolations([{ path: 'src/infra/new/x.ts', text: '' }])).toEqual([
      { path: 'src/infra/new/x.ts', problem },
    ]);
  });
});

describe('an import', () => {
  it.each([
    [`import { a, type B } from './x.ts';`],
    [`import type { B } from "./x.ts"`],
    [`import * as all from './x.ts';`],
    [`import whole, { part } from './x.ts';`],
    [`import './x.ts';`],
    [`import {\n  a,\n  b,\n} from './x.ts';`],
    [`export { a } from './x.ts';`],
    [`export * from './x.ts';`],
    [`const late = await import('./x.ts');`],
    [`type Late = import('./x.ts').Late;`],
    [`const { a } = require('./x.ts');`],
  ])('is seen in %s', (text) => {
    expect(importsOf(text)).toEqual(['./x.ts']);
  });

  it('is not seen in a comment or in prose', () => {
    const text = `// import { a } from 'fastify';\n/* import 'fastify'; */\nconst prose = "exported from 'there'";`;
    expect(findViolations([{ path: 'src/domain/time/cron.ts', text }])).toEqual([]);
  });
});

describe('a habit', () => {
  it.each([
    ['reads process.env', `const port = process.env['PORT'];`],
    ['reads process.env', `const port = process['env'].PORT;`],
    ['takes env out of process', `const { env } = process;`],
    ['takes env out of process', `import { env } from 'node:process';`],
    ['has a default export', 'export default function tick() {}'],
    ['has a default export', 'export { tick as default };'],
    ['is a barrel', `export * from './config.ts';`],
    ['is a barrel', `export { a, b } from './config.ts';`],
    ['is a barrel', `export type { A } from './config.ts';`],
    ['uses setInterval', 'setInterval(tick, 1000);'],
    ['has 251 lines, more than 250', 'tick();\n'.repeat(251)],
  ])('is seen: a file %s', (problem, text) => {
    expect(findViolations([{ path: 'src/compose.ts', text }])).toEqual([{ path: 'src/compose.ts', problem }]);
  });

  it('has its one place', () => {
    const places: SourceFile[] = [
      { path: 'src/config.ts', text: 'const { PORT } = process.env;' },
      { path: 'src/index.ts', text: `export { createScheduler } from './compose.ts';` },
      { path: 'src/compose.ts', text: 'tick();\n'.repeat(250) },
    ];
    expect(findViolations(places)).toEqual([]);
  });
});
