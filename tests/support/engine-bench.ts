import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { asTenantId, type RunKey, type ScheduleId } from '../../src/domain/ids.ts';
import type { Journal } from '../../src/domain/ports/journal.ts';
import type { Senders } from '../../src/domain/ports/sender.ts';
import { type DeliveryLimits, DeliveryService } from '../../src/domain/services/delivery-service.ts';
import { FiringService } from '../../src/domain/services/firing-service.ts';
import { SealedHeaders } from '../../src/domain/services/sealed-headers.ts';
import { SettlingService } from '../../src/domain/services/settling-service.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { DatabaseClock } from '../../src/infra/db/database-clock.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { PostgresEngineStore } from '../../src/infra/repo/postgres-engine-store.ts';
import { PostgresUpkeepStore } from '../../src/infra/repo/postgres-upkeep-store.ts';
import { ScheduleVersionCache } from '../../src/infra/repo/schedule-version-cache.ts';
import { createTestDatabase } from './database.ts';
import type { RunSeen, TimerSeen } from './rows-seen.ts';
import { type OpenScheduling, openScheduling, scheduleInput, TEST_SEAL, tellingEnds } from './scheduling.ts';
import { ScriptedSenders } from './scripted-senders.ts';
import { until } from './until.ts';

const WEEK_MS = 7 * 86_400_000;

export interface EngineOptions {
  readonly senders?: Senders;
  /** Long by default: a test lets leases expire with {@link EngineBench.expireLeases}. */
  readonly leaseMs?: number;
  readonly concurrency?: number;
  readonly ahead?: number;
  readonly ofTenant?: DeliveryLimits['ofTenant'];
  readonly catchUpPerSec?: number;
}

/** One node's engine without its loops: a test takes the steps. */
export interface TestEngine {
  readonly owner: string;
  readonly store: PostgresEngineStore;
  readonly upkeep: PostgresUpkeepStore;
  readonly clock: DatabaseClock;
  readonly firing: FiringService;
  readonly delivery: DeliveryService;
  readonly settling: SettlingService;
  /** Runs whose outcome came too late. */
  readonly stale: readonly RunKey[];
  /** Settles until so many deliveries are in flight and nothing else is open. */
  settle(flying?: number): Promise<void>;
}

export interface MadeSchedule {
  readonly id: ScheduleId;
  readonly caller: {
    readonly tenantId: NonNullable<ReturnType<typeof asTenantId>>;
    readonly subject: string;
    readonly organizationId: null;
  };
}

/** A database of its own with the use cases, and as many engines on it as a test wants. */
export class EngineBench implements AsyncDisposable {
  readonly url: string;
  readonly sql: postgres.Sql;
  readonly #scheduling: OpenScheduling;
  readonly #closing: AsyncDisposableStack;
  readonly #told: string[];
  /** The pools of the engines of one test. */
  #engines = new AsyncDisposableStack();
  #tenants = 0;

  private constructor(parts: {
    url: string;
    sql: postgres.Sql;
    scheduling: OpenScheduling;
    closing: AsyncDisposableStack;
    told: string[];
  }) {
    this.url = parts.url;
    this.sql = parts.sql;
    this.#scheduling = parts.scheduling;
    this.#closing = parts.closing;
    this.#told = parts.told;
  }

  static async open(): Promise<EngineBench> {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const { url } = database;
    const sql = closing.adopt(
      connectPool(url, { role: 'scheduler_engine', max: 2, applicationName: 'bench' }),
      (pool) => pool.end(),
    );
    const told: string[] = [];
    const scheduling = closing.adopt(await openScheduling(url, tellingEnds(told)), (opened) => opened.close());
    return new EngineBench({ url, sql, scheduling, closing: closing.move(), told });
  }

  get schedules(): OpenScheduling['service'] {
    return this.#scheduling.service;
  }

  get bulk(): OpenScheduling['bulk'] {
    return this.#scheduling.bulk;
  }

  get calendars(): OpenScheduling['calendars'] {
    return this.#scheduling.calendars;
  }

  get unitOfWork(): OpenScheduling['unitOfWork'] {
    return this.#scheduling.unitOfWork;
  }

  get runs(): OpenScheduling['runs'] {
    return this.#scheduling.runs;
  }

  /** What was told of this schedule's end, with who ended it. */
  toldOf({ id }: MadeSchedule): readonly string[] {
    return this.#told.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 1));
  }

  /** Forgets what earlier tests left in motion, and closes the connections of their engines: a server has about a hundred. */
  async clear(): Promise<void> {
    await this.#engines.disposeAsync();
    this.#engines = new AsyncDisposableStack();
    await this.sql`delete from claims`;
    await this.sql`delete from retries`;
    await this.sql`delete from timers`;
  }

  engine(options: EngineOptions = {}): TestEngine {
    const { senders = new ScriptedSenders(), leaseMs = 60_000, concurrency = 1000, ahead = 4000, ofTenant } = options;
    const open = (): postgres.Sql =>
      connectPool(this.url, { role: 'scheduler_engine', max: 4, applicationName: 'engine' });
    const pool = this.#engines.use(new EnginePool(open, 60_000));
    const clock = new DatabaseClock();
    const stale: RunKey[] = [];
    const journal: Journal = { ...tellingEnds(this.#told), outcomeStale: ({ key }) => void stale.push(key) };
    const limits = { concurrency, ahead, ofTenant };
    const store = new PostgresEngineStore(pool, new ScheduleVersionCache(1000, 1e7, new SealedHeaders(TEST_SEAL)), () =>
      clock.monotonic(),
    );
    const delivery = new DeliveryService({ senders, clock, journal, random: () => 0, limits });
    const owner = newId();
    const identity = { owner, leaseMs };
    const firing = new FiringService({ store, delivery, clock, journal, newId, identity, ...options });
    const settling = new SettlingService({ store, delivery, firing, clock, journal });
    const settle = (flying = 0): Promise<void> => settleAll({ settling, delivery }, flying);
    return { owner, store, upkeep: new PostgresUpkeepStore(pool), clock, firing, delivery, settling, stale, settle };
  }

  /** A schedule of a tenant of its own. Without a trigger: every minute, on a grid that holds this very second. */
  async schedule(given: Partial<ScheduleInput> = {}): Promise<MadeSchedule> {
    this.#tenants += 1;
    const tenantId = asTenantId(`tenant-${this.#tenants}`);
    if (tenantId === null) throw new Error('a tenant id was refused');
    const caller = { tenantId, subject: 'test', organizationId: null };
    const anchor = new Date(Math.floor((await this.now()) / 1000) * 1000 - WEEK_MS).toISOString();
    const trigger = { type: 'INTERVAL', every: 'PT1M', anchor } as const;
    const { schedule } = await this.schedules.create(
      caller,
      scheduleInput({ trigger, target: { kind: 'EVENT', eventTopic: 'tests' }, ...given }),
    );
    return { id: schedule.state.id, caller };
  }

  /** The database's time, epoch ms. */
  async now(): Promise<number> {
    const [row] = await this.sql<
      { now: number }[]
    >`select floor(date_part('epoch', clock_timestamp()) * 1000)::float8 as now`;
    return row?.now ?? Number.NaN;
  }

  /** Moves the schedule's next slot back, as if nothing had claimed for that long. Answers the slot that is due now. */
  async rewind({ id }: MadeSchedule, byMs: number): Promise<number> {
    const [row] = await this.sql<{ slot: number }[]>`
      update timers set slot = slot - ${byMs}::float8 * interval '1 ms', next_due = next_due - ${byMs}::float8 * interval '1 ms', cursor = least(cursor, slot - ${byMs + 1}::float8 * interval '1 ms')
      where schedule_id = ${id} returning date_part('epoch', slot)::float8 * 1000 as slot`;
    return Math.round(row?.slot ?? Number.NaN);
  }

  /** Every lease is over, as if its holder had been silent for long. */
  async expireLeases(): Promise<void> {
    await this.sql`update claims set lease_until = now() - interval '1 second'`;
  }

  /** Whatever waits for its next attempt is due now. */
  async hasten(): Promise<void> {
    await this.sql`update retries set next_due = now() - interval '1 ms' where next_due < 'infinity'`;
  }

  async runsOf({ id }: MadeSchedule): Promise<readonly RunSeen[]> {
    return this.sql<RunSeen[]>`
      select ${this.#ms('slot')} as slot, space, version, state, reason, cause, range, attempts, ${this.#ms('due')} as due, ${this.#ms('started_at')} as "startedAt",
             ${this.#ms('ended_at')} as "endedAt", ${this.#ms('next_attempt_at')} as "nextAttemptAt"
      from runs where schedule_id = ${id} order by runs.slot, space`;
  }

  async timerOf({ id }: MadeSchedule): Promise<TimerSeen | undefined> {
    const [row] = await this.sql<TimerSeen[]>`
      select ${this.#ms('slot')} as slot, ${this.#ms('next_due')} as due, ${this.#ms('cursor')} as cursor, ${this.#ms('last_fired')} as "lastFired", fires::float8 as fires
      from timers where schedule_id = ${id}`;
    return row;
  }

  async scheduleState({
    id,
  }: MadeSchedule): Promise<
    { readonly state: string; readonly stateReason: string | null; readonly isDeleted: boolean } | undefined
  > {
    const [row] = await this.sql<{ state: string; stateReason: string | null; isDeleted: boolean }[]>`
      select state, state_reason as "stateReason", deleted_at is not null as "isDeleted" from schedules where id = ${id}`;
    return row;
  }

  async claims(): Promise<
    readonly {
      readonly id: string;
      readonly owner: string;
      readonly fence: number;
      readonly recoveries: number;
      readonly size: number;
    }[]
  > {
    return this.sql<{ id: string; owner: string; fence: number; recoveries: number; size: number }[]>`
      select id, owner, fence, recoveries, cardinality(slots) as size from claims order by id`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engines.disposeAsync();
    await this.#closing.disposeAsync();
  }

  #ms(column: string): postgres.PendingQuery<postgres.Row[]> {
    return this.sql`round(date_part('epoch', ${this.sql(column)})::numeric * 1000)::float8`;
  }
}

async function settleAll(
  { settling, delivery }: Pick<TestEngine, 'settling' | 'delivery'>,
  flying: number,
): Promise<void> {
  await until(`${flying} deliveries are in flight and all others settled`, async () => {
    await settling.settle();
    return delivery.flying === flying && delivery.open === flying;
  });
  await settling.settle();
}
