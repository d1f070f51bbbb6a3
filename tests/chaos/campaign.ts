import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { readDatabase } from './audit.ts';
import { Broker } from './broker.ts';
import { openIssuer } from './client.ts';
import { Cluster } from './cluster.ts';
import { fakeTimeLibrary } from './fake-time.ts';
import type { History } from './history.ts';
import { LoadWatch } from './load.ts';
import { Nemesis } from './nemesis.ts';
import type { Campaign, Frame, Step } from './plan.ts';
import { Receivers } from './receivers.ts';
import { NODES } from './steps.ts';
import { Workload } from './workload.ts';

export interface CampaignOptions {
  readonly seed: number;
  /** Plans it, once the cluster has started. */
  readonly plan: (frame: Frame) => Campaign;
  readonly leaseMs?: number;
  /** Told each step with its time, as it is over. */
  readonly say: (line: string) => void;
}

const LEASE_MS = 5_000;
const PREPARATION_MS = 2_000;
const CREATED_AT_ONCE = 8;
/** NATS is down when the nodes start. */
const BROKER_COMES_MS = 4_000;
/** A breaker may stay open for five minutes. */
const REST_WITHIN_MS = 400_000;

/** Runs a campaign to its end: storm, healing, rest. Answers all that was written down. */
export async function runCampaign(options: CampaignOptions): Promise<History> {
  await using closing = new AsyncDisposableStack();
  const issuer = closing.use(await openIssuer());
  const broker = closing.adopt(await Broker.prepare(), async (made) => made?.[Symbol.asyncDispose]());
  const fakeTime = fakeTimeLibrary();
  sayWhatIsLeftOut(options.say, broker, fakeTime);
  const { leaseMs = LEASE_MS } = options;
  const cluster = closing.use(
    await Cluster.start(NODES, { leaseMs, jwksUrl: issuer.jwksUrl, natsUrl: broker?.url ?? null, fakeTime }),
  );
  await cluster.ready();
  // Slots may begin once the standing schedules are made.
  const startAt = Math.ceil((Date.now() + PREPARATION_MS) / 1000) * 1000;
  const has = { hasBroker: broker !== null, hasFakeTime: fakeTime !== null };
  const campaign = options.plan({ seed: options.seed, startAt, leaseMs, ...has });
  const load = closing.use(new LoadWatch());
  const receivers = closing.use(await Receivers.start(campaign.plans, options.seed));
  const nemesis = new Nemesis(cluster, receivers, broker);
  const apis = cluster.members.map(({ api }) => api);
  const workload = new Workload({ plans: campaign.plans, receivers, issuer, apis });
  const brokerComes = sleep(BROKER_COMES_MS).then(() => broker?.start());
  await workload.createCalendars();
  await createStanding(workload, campaign.standing);
  await Promise.all([brokerComes, performSteps(campaign, { cluster, nemesis, workload, say: options.say })]);
  await nemesis.healed();
  options.say('all is mended; waiting for rest');
  await cluster.ready();
  await comeToRest(cluster, workload);
  const endedAt = Date.now();
  const published = broker === null ? [] : await broker.messages();
  const exitCodes = await cluster.stopMembers();
  const told = {
    operations: workload.operations,
    deliveries: receivers.log,
    published,
    exitCodes,
    stops: nemesis.stops,
    endedAt,
  };
  const faults = [...nemesis.faults, ...cluster.starts, ...load.crowded];
  const rows = await readDatabase(cluster.url);
  return { ...rows, ...told, ...cluster.story(), faults, plans: campaign.plans, leaseMs };
}

function sayWhatIsLeftOut(say: CampaignOptions['say'], broker: Broker | null, fakeTime: string | null): void {
  if (broker === null) say('!! LEFT OUT: NATS, EVENT and QUEUE targets (apt-get install nats-server)');
  if (fakeTime === null) say('!! LEFT OUT: jumps of a clock (apt-get install libfaketime)');
}

/** A bounded number at once, over all nodes. */
async function createStanding(workload: Workload, count: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await workload.create(index, index);
    }
  };
  await Promise.all(Array.from({ length: CREATED_AT_ONCE }, worker));
}

interface Actors {
  readonly cluster: Cluster;
  readonly nemesis: Nemesis;
  readonly workload: Workload;
  readonly say: (line: string) => void;
}

/** Each step at its time, whatever became of those before it; or one by one. */
async function performSteps(campaign: Campaign, actors: Actors): Promise<void> {
  const began = performance.now();
  const clock = (): string => `+${((performance.now() - began) / 1000).toFixed(3)} s`;
  const perform = async (step: Step): Promise<void> => {
    const from = clock();
    const [what, result] = await performed(step, actors);
    actors.say(`${new Date().toISOString()} #${step.index} ${from} to ${clock()}: ${what}: ${result}`);
  };
  if (campaign.isPatient) {
    for (const step of campaign.steps) {
      await actors.cluster.ready();
      await sleep(step.atMs);
      await perform(step);
    }
    return;
  }
  const running = campaign.steps.map(async (step) => {
    await sleep(Math.max(0, step.atMs - (performance.now() - began)));
    await perform(step);
  });
  await Promise.all(running);
}

async function performed({ fault, request }: Step, { nemesis, workload }: Actors): Promise<readonly [string, string]> {
  try {
    if (fault !== undefined) return [fault.kind, await nemesis.perform(fault)];
    if (request === undefined) return ['nothing', ''];
    return [`${request.kind} plan ${request.plan} at node ${request.node}`, await workload.perform(request)];
  } catch (error) {
    return ['failed', error instanceof Error ? error.message : String(error)];
  }
}

/** Takes up what a pause or a 410 stopped, until every schedule has come to its end and no run is open. */
async function comeToRest(cluster: Cluster, workload: Workload): Promise<void> {
  const sql = postgres(cluster.url, { max: 1, onnotice: () => undefined });
  try {
    await sql`set role scheduler_engine`;
    const deadline = performance.now() + REST_WITHIN_MS;
    while (performance.now() < deadline && !(await isAtRest(sql))) {
      const stopped = await sql<{ plan: string }[]>`
        select labels ->> 'plan' as plan from schedules where deleted_at is null and state in ('PAUSED', 'DISABLED')`;
      for (const { plan } of stopped) await workload.resume(Number(plan), Number(plan) % NODES);
      await sleep(500);
    }
  } finally {
    await sql.end();
  }
}

async function isAtRest(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql<{ open: number }[]>`
    select ((select count(*) from timers) + (select count(*) from retries) + (select count(*) from claims) + (select count(*) from backfills)
      + (select count(*) from schedules where deleted_at is null and state <> 'COMPLETED'))::int as open`;
  return row?.open === 0;
}
