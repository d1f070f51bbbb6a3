import postgres from 'postgres';
import type { OverlapPolicy } from '../../src/domain/entities/definition.ts';
import type { Target } from '../../src/domain/entities/target.ts';
import { normaliseTrigger } from '../../src/domain/time/compile.ts';
import type { Trigger } from '../../src/domain/time/trigger.ts';
import { tzdataVersion } from '../../src/domain/time/zone.ts';
import { isLostRace } from '../../src/infra/db/database-errors.ts';
import { migrate } from '../../src/infra/db/migrate.ts';
import { scheduleInput } from './schedules.ts';

/** Active schedules with the API's default policies and distinct CRON and RRULE triggers. */
export interface Filling {
  readonly count: number;
  /** Their tenants are `PREFIX-0` to `PREFIX-(tenants - 1)`. */
  readonly prefix: string;
  readonly tenants: number;
  /** Left out: the COMMAND `noop`. */
  readonly target?: Target;
  /** Left out: recurring ones, distinct. */
  readonly trigger?: Trigger;
  /** Left out: the API's default. */
  readonly overlapPolicy?: OverlapPolicy;
}

/** Which timers come due, and when. */
export interface Moving {
  readonly count: number;
  readonly prefix: string;
  /** Epoch ms; the first of them. */
  readonly at: number;
  /** Left out: all at one instant. */
  readonly perSecond?: number;
}

/** Distinct triggers end here (see `recurringTrigger`). */
const TEMPLATES = 86_400;
const CHUNK = 25_000;
/** Connections that insert. */
const LOADERS = 3;
/** Looking costs the database a tenth of a millisecond. */
const LOOK_MS = 10;

/** Makes and moves very many schedules by SQL, in the product's own tables and through the walls of the engine's role. */
export class ScheduleStore implements AsyncDisposable {
  readonly #url: string;
  readonly #sql: postgres.Sql;

  private constructor(url: string, sql: postgres.Sql) {
    this.#url = url;
    this.#sql = sql;
  }

  static async open(url: string): Promise<ScheduleStore> {
    await migrate(url);
    return new ScheduleStore(url, await connected(url));
  }

  /** Their first slots lie an hour to a day ahead. Answers how many were made a second. */
  async fill(filling: Filling): Promise<number> {
    const startedAt = performance.now();
    const templates = templatesOf(filling);
    let next = 0;
    const loader = async (): Promise<void> => {
      const sql = await connected(this.#url);
      await sql`create temp table templates (n integer primary key, tz text not null, trigger jsonb not null)`;
      await sql`
        insert into templates select n, tz, trigger
        from jsonb_to_recordset(${JSON.stringify(templates)}::text::jsonb) as r(n integer, tz text, trigger jsonb)`;
      while (next < filling.count) {
        const from = next;
        next = Math.min(from + CHUNK, filling.count);
        await insertSchedules(sql, filling, { from, to: next - 1, templates: templates.length });
      }
      await sql.end();
    };
    await Promise.all(Array.from({ length: LOADERS }, loader));
    await this.refresh();
    return Math.round(filling.count / ((performance.now() - startedAt) / 1000));
  }

  /** What autovacuum would do in its own time. */
  async refresh(): Promise<void> {
    await this.#as('scheduler_owner', async () => {
      await this.#sql`vacuum analyze timers, runs, claims, retries, schedules, schedule_versions`;
    });
  }

  /** Timers picked at random among those that fired least come due; the engines hear of it. */
  async move({ count, prefix, at, perSecond }: Moving): Promise<void> {
    const apartMs = perSecond === undefined ? 0 : 1000 / perSecond;
    const moving = () => this.#sql`
      update timers t set next_due = p.at, slot = p.at
      from (
        select schedule_id, to_timestamp((${at}::float8 + floor((row_number() over () - 1) * ${apartMs}::float8)) / 1000) as at
        from (select schedule_id from timers where tenant_id like ${`${prefix}-%`} order by fires, right(schedule_id::text, 8) limit ${count}) picked
      ) p
      where t.schedule_id = p.schedule_id`;
    // An engine that has just started walks over all timers and locks them in the order of their ids.
    const moved = await moving().catch((error: unknown) => (isLostRace(error) ? moving() : Promise.reject(error)));
    if (moved.count !== count) throw new Error(`${moved.count} timers instead of ${count}`);
    await this.#as('scheduler_owner', async () => {
      await this.#sql`vacuum analyze timers`;
    });
    await this.#sql.notify('scheduler_due', String(at));
  }

  /** Until nothing is due any more at or before this instant and nothing is in flight. Claims are looked at first: there are few, and nearly always some. */
  async drained(at: number, withinMs = 120_000): Promise<void> {
    const until = performance.now() + withinMs;
    for (;;) {
      const [row] = await this.#sql<{ open: boolean }[]>`
        select exists (select from claims) or exists (select from timers where next_due <= to_timestamp(${at}::float8 / 1000)) as open`;
      if (row?.open !== true) return;
      if (performance.now() > until) throw new Error('what was due did not drain in time');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Runs that succeeded of slots in a stretch of time (epoch ms, both inclusive). */
  async succeeded(from: number, to: number): Promise<number> {
    const [row] = await this.#sql<{ rows: number }[]>`
      select count(*)::int as rows from runs
      where slot between to_timestamp(${from}::float8 / 1000) and to_timestamp(${to}::float8 / 1000) and state = 'SUCCEEDED'`;
    return row?.rows ?? 0;
  }

  /** No schedule is left, and nothing of one that engines left; they must be gone. */
  async forget(): Promise<void> {
    await this.#sql`delete from timers`;
    await this.#sql`delete from claims`;
    await this.#sql`delete from retries`;
    await this.#sql`delete from schedule_versions`;
    await this.#sql`delete from schedules`;
    await this.refresh();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end();
  }

  async #as(role: string, work: () => Promise<void>): Promise<void> {
    await this.#sql`reset role`;
    await this.#sql`set role ${this.#sql(role)}`;
    await work();
    await this.#sql`reset role`;
    await this.#sql`set role scheduler_engine`;
  }
}

interface Template {
  readonly n: number;
  readonly tz: string;
  readonly trigger: Trigger;
}

/** Triggers as the service would keep them. */
function templatesOf({ count, trigger: given }: Filling): readonly Template[] {
  const now = Date.now();
  return Array.from({ length: Math.min(count, TEMPLATES) }, (_, n) => {
    const { tz, trigger } = scheduleInput(n, 'noop', given);
    return { n, tz, trigger: normaliseTrigger(trigger, tz, now) };
  });
}

async function connected(url: string): Promise<postgres.Sql> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false });
  await sql`set role scheduler_engine`;
  return sql;
}

async function insertSchedules(
  sql: postgres.Sql,
  { prefix, tenants, target, overlapPolicy }: Filling,
  range: { readonly from: number; readonly to: number; readonly templates: number },
): Promise<void> {
  const given = scheduleInput(0, 'noop');
  const json = (value: unknown) => sql`${JSON.stringify(value)}::text::jsonb`;
  const policies = sql`${json(given.dst)}, ${overlapPolicy ?? given.overlapPolicy}::text, ${json(given.misfire)}, ${json(given.retry)},
      ${given.timeoutSec}::int, ${given.onCompletion}::text`;
  const aim = json(target ?? given.target);
  await sql`
      with made as materialized (
        select ${freshId(sql)} as id, ${prefix}::text || '-' || (i % ${tenants}::int) as tenant_id, t.tz, t.trigger, i
        from generate_series(${range.from}::int, ${range.to}::int) i join templates t on t.n = i % ${range.templates}::int
      ), versioned as (
        insert into schedule_versions (tenant_id, schedule_id, version, tz, trigger, target, dst, overlap_policy, misfire, retry, timeout_sec, on_completion)
        select tenant_id, id, 1, tz, trigger, ${aim}, ${policies} from made
      ), timed as (
        insert into timers (schedule_id, tenant_id, next_due, slot, cursor, version, tzdata)
        select id, tenant_id, due, due, now(), 1, ${tzdataVersion ?? null}::text
        from (select *, date_trunc('second', now()) + (3600 + i % 82800) * interval '1 second' as due from made) m
      )
      insert into schedules (tenant_id, id, name, labels, scope, tz, trigger, target, dst, overlap_policy, misfire, retry, timeout_sec, on_completion,
                             state, version, definition_version, created_at, updated_at, created_by)
      select tenant_id, id, 'schedule ' || i, '{}', 'TENANT', tz, trigger, ${aim}, ${policies}, 'ACTIVE', 1, 1, now(), now(), 'bench' from made`;
}

/** A UUID of version 7, which PostgreSQL makes by itself from 18 on only. */
function freshId(sql: postgres.Sql): postgres.PendingQuery<postgres.Row[]> {
  const ms = sql`substring(int8send(floor(date_part('epoch', clock_timestamp()) * 1000)::bigint) from 3)`;
  const stamped = sql`overlay(uuid_send(gen_random_uuid()) placing ${ms} from 1 for 6)`;
  // The version's four bits stand at 52 of the bytes as PostgreSQL counts them: those of version 4, and two more.
  return sql`encode(set_bit(set_bit(${stamped}, 52, 1), 53, 1), 'hex')::uuid`;
}
