import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { RunRow } from '../../../src/domain/entities/run.ts';
import type { Target } from '../../../src/domain/entities/target.ts';
import { asTenantId, type RunKey, type ScheduleId, type TenantId } from '../../../src/domain/ids.ts';
import { RunService } from '../../../src/domain/services/run-service.ts';
import { SchedulingService } from '../../../src/domain/services/scheduling-service.ts';
import { connectPool, openDatabase } from '../../../src/infra/db/client.ts';
import { DrizzleUnitOfWork } from '../../../src/infra/repo/drizzle-unit-of-work.ts';
import { createTestDatabase } from '../../support/database.ts';
import { silentJournal } from '../../support/scheduling.ts';

/** The services on a database of their own, and what a test looks over their shoulder with. */
export interface Workbench {
  readonly url: string;
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly unitOfWork: DrizzleUnitOfWork;
  /** Connections of the API's role. */
  readonly api: postgres.Sql;
  /** Connections of the engine's role, which sees all tenants. */
  readonly engine: postgres.Sql;
  /** The due times rung so far, epoch ms. */
  readonly rung: number[];
  /** The targets that senders were asked about. */
  readonly checkedTargets: Target[];
  close(): Promise<void>;
}

export async function openWorkbench(): Promise<Workbench> {
  const { url, drop } = await createTestDatabase();
  const api = connectPool(url, { role: 'scheduler_api', max: 10, applicationName: 'test-api' });
  const engine = connectPool(url, { role: 'scheduler_engine', max: 3, applicationName: 'test-engine' });
  const unitOfWork = new DrizzleUnitOfWork(openDatabase(api), PATIENT_MS);
  const rung: number[] = [];
  const checkedTargets: Target[] = [];
  const bell = { ring: (due: number) => void rung.push(due), listen: () => undefined };
  const senders = {
    of: () => {
      throw new Error('nothing is sent from here');
    },
    check: (target: Target) => void checkedTargets.push(target),
  };
  const journal = silentJournal();
  return {
    url,
    scheduling: new SchedulingService({ unitOfWork, bell, senders, journal, newId, retentionDays: 30 }),
    runs: new RunService({ unitOfWork, bell, journal }),
    unitOfWork,
    api,
    engine,
    rung,
    checkedTargets,
    close: async () => {
      await Promise.all([api.end(), engine.end()]);
      await drop();
    },
  };
}

/** What a busy machine may take for what takes it milliseconds otherwise. */
const PATIENT_MS = 60_000;

let tenants = 0;

/** Somebody of a tenant that nobody else uses. */
export function newCaller(organizationId: string | null = null): Caller {
  tenants += 1;
  return { tenantId: tenantNamed(`tenant-${tenants}`), subject: 'ada', organizationId };
}

/** The same tenant, seen from an organization of it. */
export function within(caller: Caller, organizationId: string | null): Caller {
  return { ...caller, organizationId };
}

export function tenantNamed(name: string): TenantId {
  const tenantId = asTenantId(name);
  if (tenantId === null) throw new Error(`${name} cannot be a tenant`);
  return tenantId;
}

/** A slot of the schedule becomes a run that is being delivered, as a claim does it: `claims` names it, no row does. Answers the claim. */
export async function claimSlot(engine: postgres.Sql, key: RunKey): Promise<string> {
  const id = newId();
  await engine`
    insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
    values (${id}, ${newId()}, 1, now() + interval '1 minute', array[${key.scheduleId}::uuid], array[${new Date(key.slot).toISOString()}::timestamptz], array[${key.space}::int], array[1])`;
  return id;
}

/** What stands in `runs` for a schedule, oldest first. */
export async function runsOf(engine: postgres.Sql, id: ScheduleId): Promise<readonly Record<string, unknown>[]> {
  return engine`
    select r.slot, r.space, r.state, r.reason, r.cause, r.version, r.range, w.lane, w.next_due <= now() as waits
    from runs r left join retries w using (schedule_id, slot, space) where schedule_id = ${id} order by slot, space`;
}

/** Says of a run that it is dead, as an engine would. */
export async function killRun(engine: postgres.Sql, { scheduleId, slot, space }: RunKey): Promise<void> {
  const at = new Date(slot).toISOString();
  await engine`delete from retries where schedule_id = ${scheduleId} and slot = ${at} and space = ${space}`;
  await engine`
    update runs set state = 'DEAD', reason = 'EXHAUSTED', ended_at = now(), next_attempt_at = null,
           attempts = '[{"number":1,"startedAt":"2026-01-01T00:00:00.000Z","endedAt":"2026-01-01T00:00:01.000Z","outcome":"TIMEOUT"}]'
    where schedule_id = ${scheduleId} and slot = ${at} and space = ${space}`;
}

export function keyOf({ scheduleId, slot, space }: RunRow): RunKey {
  return { scheduleId, slot, space };
}

/** The code of the DomainError that the promise rejects with; null when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}
