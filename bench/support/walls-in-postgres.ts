import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import { asScheduleId, asTenantId, type ScheduleId, type TenantId } from '../../src/domain/ids.ts';
import type { TenantWork, UnitOfWork } from '../../src/domain/ports/unit-of-work.ts';
import { SchedulingService } from '../../src/domain/services/scheduling-service.ts';
import { connectPool, openDatabase } from '../../src/infra/db/client.ts';
import { DrizzleUnitOfWork } from '../../src/infra/repo/drizzle-unit-of-work.ts';
import { silentJournal } from '../../tests/support/scheduling.ts';
import { treeCpuMs } from './process-cpu.ts';
import { scheduleInput } from './schedules.ts';
import { median } from './table.ts';

const ROUNDS = 5;
const OPERATIONS = 128;
const AT_ONCE = 16;

/** One way to do it, and what a backend needs for one. */
interface Way {
  readonly wall: string;
  readonly column: 'GET one' | 'POST one';
  /** As many operations as asked for. */
  run(times: number): Promise<unknown>;
  readonly usedUs: number[];
}

type Row = Readonly<Record<'wall' | 'where' | 'GET one' | 'POST one', string>>;

/** The CPU time of one backend for one read and one create, with more walls from row to row. Ways take turns; medians. */
export async function wallsInPostgres(url: string, scheduleId: string): Promise<readonly Row[]> {
  const [id, tenantId] = [asScheduleId(scheduleId), asTenantId('bench')];
  if (id === null || tenantId === null) throw new Error('no such schedule');
  const [bare, api] = [connectPool(url, { max: 1, applicationName: 'bare' }), poolOfApi(url)];
  const pids = new Map(await Promise.all([bare, api].map(async (pool) => [pool, await pidOf(pool)] as const)));
  const unitOfWork = new DrizzleUnitOfWork(openDatabase(api));
  const ways = [...reads({ bare, unitOfWork }, tenantId, id), ...creates(unitOfWork, tenantId)];
  // Without statistics the planner takes whatever index begins with the tenant.
  await bare`analyze`;
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const way of ways) {
      const pid = pids.get(way.wall.startsWith('none') ? bare : api) ?? 0;
      const before = treeCpuMs(pid);
      await way.run(OPERATIONS);
      if (round > 0) way.usedUs.push(((treeCpuMs(pid) - before) * 1000) / OPERATIONS);
    }
  }
  await Promise.all([bare.end(), api.end()]);
  return ways.map(({ wall, column, usedUs }) => ({
    wall,
    where: 'PostgreSQL',
    'GET one': column === 'GET one' ? `${median(usedUs).toFixed(0)} µs` : '',
    'POST one': column === 'POST one' ? `${median(usedUs).toFixed(0)} µs` : '',
  }));
}

function poolOfApi(url: string): postgres.Sql {
  return connectPool(url, { role: 'scheduler_api', max: 1, applicationName: 'walled' });
}

async function pidOf(pool: postgres.Sql): Promise<number> {
  const [row] = await pool<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

function reads(
  { bare, unitOfWork }: { readonly bare: postgres.Sql; readonly unitOfWork: UnitOfWork },
  tenantId: TenantId,
  id: ScheduleId,
): readonly Way[] {
  const find = () => unitOfWork.reading(tenantId, ({ schedules }) => schedules.find(id));
  const select = () => bare`
    select * from schedules left join timers on timers.schedule_id = schedules.id
    where schedules.id = ${id} and schedules.deleted_at is null`;
  return [
    way('none: the select alone', 'GET one', (times) => oneByOne(times, select)),
    way('transaction, tenant, row-level security', 'GET one', (times) => oneByOne(times, find)),
    way(`the same, ${AT_ONCE} at once`, 'GET one', (times) => atOnce(times, find)),
  ];
}

function creates(unitOfWork: UnitOfWork, tenantId: TenantId): readonly Way[] {
  const [walled, unrecorded] = [servicesOn(unitOfWork), servicesOn(withoutTrail(unitOfWork))];
  const caller = { tenantId, subject: 'bench', organizationId: null };
  let made = 0;
  const by = (service: SchedulingService) => () =>
    service.create(caller, { ...scheduleInput(made++, 'none'), target: { kind: 'EVENT', eventTopic: 'a.b' } });
  return [
    way('all, but no audit trail', 'POST one', (times) => oneByOne(times, by(unrecorded))),
    way('all', 'POST one', (times) => oneByOne(times, by(walled))),
    way(`all, ${AT_ONCE} at once`, 'POST one', (times) => atOnce(times, by(walled))),
  ];
}

function way(wall: string, column: Way['column'], run: Way['run']): Way {
  return { wall, column, run, usedUs: [] };
}

async function oneByOne(times: number, operation: () => PromiseLike<unknown>): Promise<void> {
  for (let done = 0; done < times; done += 1) await operation();
}

async function atOnce(times: number, operation: () => PromiseLike<unknown>): Promise<void> {
  for (let done = 0; done < times; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, operation));
}

function servicesOn(unitOfWork: UnitOfWork): SchedulingService {
  const nobody = () => Promise.reject(new Error('nothing is sent from here'));
  return new SchedulingService({
    unitOfWork,
    bell: { ring: () => undefined, listen: () => undefined },
    senders: { of: () => ({ send: nobody }), check: () => undefined },
    journal: silentJournal(),
    newId,
  });
}

/** The same transactions, whose trail notes nothing. */
function withoutTrail(unitOfWork: UnitOfWork): UnitOfWork {
  const silent = (work: TenantWork): TenantWork => ({
    ...work,
    audit: { record: () => undefined, recordEach: () => undefined, page: (query) => work.audit.page(query) },
  });
  return {
    forTenant: (tenantId, work) => unitOfWork.forTenant(tenantId, (tenant) => work(silent(tenant))),
    reading: (tenantId, work) => unitOfWork.reading(tenantId, work),
    together: (work) => unitOfWork.together((tenant, questions) => work(silent(tenant), questions)),
  };
}
