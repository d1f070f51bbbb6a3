import postgres from 'postgres';
import { encodeRunId, type ScheduleId } from '../../src/domain/ids.ts';
import type { History, Hold, RecordedAttempt, RunChange, RunRecord, ScheduleRecord } from './history.ts';

/* The database writes down who held which run and what became of it: the service's own rows show only the end. */

const AUDIT = `
  set role scheduler_owner;
  create schema chaos;
  create table chaos.holds (claim_id uuid, owner uuid, fence int, at timestamptz, schedule_ids uuid[], slots timestamptz[], spaces int[]);
  create table chaos.changes (schedule_id uuid, slot timestamptz, space int, state text, attempts int, started text, at timestamptz);
  create table chaos.nodes (id uuid, build text);
  create function chaos.note_claimed() returns trigger language plpgsql security definer as $$
    begin insert into chaos.holds select id, owner, fence, clock_timestamp(), schedule_ids, slots, spaces from new_rows; return null; end $$;
  create function chaos.note_taken() returns trigger language plpgsql security definer as $$
    begin
      insert into chaos.holds select n.id, n.owner, n.fence, clock_timestamp(), n.schedule_ids, n.slots, n.spaces
      from new_rows n join old_rows o on o.id = n.id where o.fence <> n.fence;
      return null;
    end $$;
  create function chaos.note_run() returns trigger language plpgsql security definer as $$
    begin
      -- The attempt of a run that succeeded at once is told by the run's own columns.
      insert into chaos.changes
      select schedule_id, slot, space, state, greatest(jsonb_array_length(attempts), (state = 'SUCCEEDED')::int),
             coalesce(attempts -> -1 ->> 'startedAt', case when state = 'SUCCEEDED' then started_at::text end), clock_timestamp()
      from new_rows;
      return null;
    end $$;
  create function chaos.note_node() returns trigger language plpgsql security definer as $$
    begin insert into chaos.nodes select id, build from new_rows; return null; end $$;
  create trigger chaos_claimed after insert on claims referencing new table as new_rows for each statement execute function chaos.note_claimed();
  create trigger chaos_taken after update on claims referencing old table as old_rows new table as new_rows for each statement execute function chaos.note_taken();
  create trigger chaos_run_made after insert on runs referencing new table as new_rows for each statement execute function chaos.note_run();
  create trigger chaos_run_changed after update on runs referencing new table as new_rows for each statement execute function chaos.note_run();
  create trigger chaos_node after insert on nodes referencing new table as new_rows for each statement execute function chaos.note_node();
  reset role`;

/** Puts the audit in place, on a database that is migrated and not yet in use. */
export async function installAudit(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(AUDIT);
  } finally {
    await sql.end();
  }
}

/** What the database says when all is over. */
export async function readDatabase(
  url: string,
): Promise<Pick<History, 'schedules' | 'runs' | 'holds' | 'changes' | 'owners' | 'marks' | 'versions'>> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql`set role scheduler_engine`;
    const schedules = await readSchedules(sql);
    const runs = await readRuns(sql);
    const definitions = await readDefinitions(sql);
    await sql`set role scheduler_owner`;
    const nodes = await sql<{ id: string; build: string }[]>`select id, build from chaos.nodes`;
    const owners = Object.fromEntries(nodes.map(({ id, build }) => [id, build.split('+').at(-1) ?? '']));
    return { schedules, runs, ...definitions, owners, holds: await readHolds(sql), changes: await readChanges(sql) };
  } finally {
    await sql.end();
  }
}

async function readSchedules(sql: postgres.Sql): Promise<readonly ScheduleRecord[]> {
  const rows = await sql<
    {
      id: string;
      labels: { plan?: string };
      tenant_id: string;
      state: string;
      created_at: number;
      deleted_at: number | null;
    }[]
  >`
    select id, labels, tenant_id, state, date_part('epoch', created_at) * 1000 as created_at, date_part('epoch', deleted_at) * 1000 as deleted_at
    from schedules`;
  return rows.map((row) => ({
    id: row.id,
    plan: Number(row.labels.plan),
    tenant: row.tenant_id,
    state: row.state,
    createdAt: Math.round(row.created_at),
    deletedAt: row.deleted_at,
  }));
}

interface RunRow {
  readonly schedule_id: ScheduleId;
  readonly tenant_id: string;
  readonly slot: number;
  readonly space: number;
  readonly version: number;
  readonly state: string;
  readonly reason: string | null;
  readonly cause: string;
  readonly range: { readonly from: string; readonly to: string; readonly count: number | null } | null;
  readonly attempts: readonly (Omit<RecordedAttempt, 'startedAt'> & { readonly startedAt: string })[];
  readonly due: number;
  readonly ended_at: number | null;
}

async function readRuns(sql: postgres.Sql): Promise<readonly RunRecord[]> {
  const rows = await sql<RunRow[]>`
    select schedule_id, tenant_id, date_part('epoch', slot) * 1000 as slot, space, version, state, reason, cause, range, attempts,
           date_part('epoch', due) * 1000 as due, date_part('epoch', ended_at) * 1000 as ended_at from runs`;
  return rows.map(({ schedule_id: scheduleId, tenant_id: tenant, ended_at, range, attempts, ...row }) => {
    const slot = Math.round(row.slot);
    return {
      ...row,
      id: encodeRunId({ scheduleId, slot, space: row.space }),
      scheduleId,
      tenant,
      slot,
      range: range && { from: Date.parse(range.from), to: Date.parse(range.to), count: range.count },
      attempts: attempts.map((attempt) => ({ ...attempt, startedAt: Date.parse(attempt.startedAt) })),
      endedAt: ended_at,
    };
  });
}

async function readDefinitions(sql: postgres.Sql): Promise<Pick<History, 'marks' | 'versions'>> {
  const rows = await sql<
    { schedule_id: string; version: number; mark: number; until: number | null; is_shut: boolean }[]
  >`
    select schedule_id, version, (payload ->> 'mark')::int as mark, date_part('epoch', superseded_at) * 1000 as until,
           coalesce((excluded -> 'days' ->> 0)::int <= (date_part('epoch', now()) / 86400)::int, false) as is_shut
    from schedule_versions where payload ? 'mark' order by schedule_id, version`;
  const bySchedule = Map.groupBy(rows, (row) => row.schedule_id);
  return {
    marks: Object.fromEntries(rows.map((row) => [`${row.schedule_id} ${row.version}`, row.mark])),
    versions: Object.fromEntries(
      [...bySchedule].map(([id, all]) => [
        id,
        all.map(({ version, mark, until, is_shut: isShut }) => ({
          ...{ number: version, mark, isShut },
          until: until === null ? null : Math.round(until),
        })),
      ]),
    ),
  };
}

async function readHolds(sql: postgres.Sql): Promise<readonly Hold[]> {
  const rows = await sql<
    {
      claim_id: string;
      owner: string;
      fence: number;
      at: number;
      ids: ScheduleId[];
      slots: number[];
      spaces: number[];
    }[]
  >`
    select claim_id, owner, fence, date_part('epoch', at) * 1000 as at, schedule_ids as ids,
           array(select date_part('epoch', s.slot) * 1000 from unnest(slots) with ordinality as s(slot, place) order by s.place) as slots, spaces
    from chaos.holds`;
  return rows.map(({ claim_id: claimId, owner, fence, at, ids, slots, spaces }) => ({
    claimId,
    owner,
    fence,
    at,
    runIds: ids.map((scheduleId, index) =>
      encodeRunId({ scheduleId, slot: Math.round(slots[index] ?? 0), space: spaces[index] ?? 0 }),
    ),
  }));
}

async function readChanges(sql: postgres.Sql): Promise<readonly RunChange[]> {
  const rows = await sql<
    {
      schedule_id: ScheduleId;
      slot: number;
      space: number;
      state: string;
      attempts: number;
      started: string | null;
      at: number;
    }[]
  >`
    select schedule_id, date_part('epoch', slot) * 1000 as slot, space, state, attempts, started, date_part('epoch', at) * 1000 as at from chaos.changes`;
  return rows.map(({ schedule_id: scheduleId, slot, space, started, ...change }) => ({
    ...change,
    runId: encodeRunId({ scheduleId, slot: Math.round(slot), space }),
    lastAttemptStartedAt: started === null ? null : Date.parse(started),
  }));
}
