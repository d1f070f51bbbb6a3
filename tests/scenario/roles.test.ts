import { expect, it } from 'vitest';
import { asTenantId } from '../../src/domain/ids.ts';
import type { ComponentHealth, HealthReport } from '../../src/domain/ports/health.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { DatabaseHealthProbe } from '../../src/infra/db/health-probe.ts';
import { createTestDatabase } from '../support/database.ts';
import { freePort } from '../support/external-services.ts';
import { engineEnvironment, type ServiceNode, startNode } from '../support/nodes.ts';
import { openScheduling, scheduleInput } from '../support/scheduling.ts';
import { until } from '../support/until.ts';

/* Processes of one role each, and what becomes of a role that nobody has. */

interface Watched {
  readonly node: ServiceNode;
  health(): Promise<HealthReport['components']>;
}

const STANDS_IN = 'no live node has the role upkeep: engines stand in';

it('upkeep is done by the nodes that have the role, by engines where none lives, and missed where there are neither', async () => {
  await using closing = new AsyncDisposableStack();
  const { url } = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const scheduling = closing.adopt(await openScheduling(url), (opened) => opened.close());
  const open = () => connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  const pool = closing.use(new EnginePool(open, 10_000));
  const start = async (roles: string): Promise<Watched> => {
    const port = await freePort();
    const node = startNode(engineEnvironment(url, { ROLES: roles, OPS_PORT: String(port) }));
    closing.defer(async () => {
      node.signal('SIGKILL');
      await node.gone();
    });
    return { node, health: () => componentsAt(port) };
  };

  const keeper = await start('upkeep');
  await until('it lives', async () => (await upkeepSeenBy(pool)).status === 'ok');
  const id = await pausedForAMoment(scheduling);
  const stateOf = async (): Promise<string> => (await scheduling.service.get(CALLER, id)).state.state;
  await until('it resumes what is due', async () => (await stateOf()) === 'ACTIVE');

  const engine = await start('engine');
  await until('the engine answers', async () => (await engine.health())['upkeep'] !== undefined);
  expect(await engine.health()).toMatchObject({ upkeep: { status: 'ok', detail: null } });
  expect(Object.keys(await engine.health())).not.toContain('watchmen');
  expect(Object.keys(await keeper.health())).toContain('watchmen');

  keeper.node.signal('SIGTERM');
  expect(await keeper.node.gone(), keeper.node.output()).toBe(0);
  await until('the engine stands in', async () => (await engine.health())['watchmen'] !== undefined);
  expect(await engine.health()).toMatchObject({ upkeep: { status: 'ok', detail: STANDS_IN } });

  engine.node.signal('SIGTERM');
  expect(await engine.node.gone(), engine.node.output()).toBe(0);
  expect(await upkeepSeenBy(pool)).toMatchObject({ status: 'degraded' });
});

const CALLER = { tenantId: tenant('acme'), subject: 'test', organizationId: null };

function tenant(text: string) {
  const id = asTenantId(text);
  if (id === null) throw new Error(`${text} is not a tenant id`);
  return id;
}

async function pausedForAMoment({ service }: Awaited<ReturnType<typeof openScheduling>>) {
  const input = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'tests' } });
  const { schedule } = await service.create(CALLER, input);
  const resumeAt = new Date(Date.now() + 2_000).toISOString();
  await service.pause(CALLER, schedule.state.id, { note: null, resumeAt }, null);
  return schedule.state.id;
}

/** Nothing before the process listens. */
async function componentsAt(port: number): Promise<HealthReport['components']> {
  const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
  if (answer === null) return {};
  const report: HealthReport = JSON.parse(await answer.text());
  return report.components;
}

/** What a process without background work, such as an API alone, shows. */
async function upkeepSeenBy(pool: EnginePool): Promise<ComponentHealth> {
  const probe = new DatabaseHealthProbe({
    pool,
    build: 'b',
    version: 'v',
    tzdata: 't',
    migration: 0,
    needsWorkers: false,
    staleLoops: () => [],
    watchmen: () => null,
    outdated: () => null,
  });
  const { components } = await probe.health();
  const seen = components['upkeep'];
  if (seen === undefined) throw new Error('the database did not answer');
  return seen;
}
