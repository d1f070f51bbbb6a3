import { LATE_AFTER_MS } from './claim-due.ts';
import { type EngineSql, ofActiveTenant } from './engine-rows.ts';

interface Next {
  readonly now: number;
  readonly nextDue: number;
  readonly isBehind: boolean;
}

/** The database's time; the earliest due time after the transaction's start; whether live slots are held elsewhere or were left over. */
export async function nextSlot(sql: EngineSql, low: number): Promise<Next> {
  const rows = await sql<NextRow[]>`
    /* index timers_due */
    select date_part('epoch', clock_timestamp()) * 1000 as now,
           (select date_part('epoch', next_due) * 1000 from timers where next_due > now() order by next_due limit 1) as due,
           exists (select from timers where next_due <= now()
                   and next_due >= greatest(to_timestamp(${low}::float8 / 1000), now() - ${LATE_AFTER_MS}::float8 * interval '1 ms') and ${ofActiveTenant(sql)}) as behind`;
  return nextOf(rows);
}

/** The same of what waits. */
export async function nextWaiting(sql: EngineSql): Promise<Next> {
  const rows = await sql<NextRow[]>`
    /* index retries_due */
    select date_part('epoch', clock_timestamp()) * 1000 as now,
           (select date_part('epoch', next_due) * 1000 from retries where next_due > now() order by next_due limit 1) as due,
           exists (select from retries where next_due <= now() and ${ofActiveTenant(sql)}) as behind`;
  return nextOf(rows);
}

interface NextRow {
  readonly now: number;
  readonly due: number | null;
  readonly behind: boolean;
}

function nextOf([row]: readonly NextRow[]): Next {
  return { now: row?.now ?? 0, nextDue: row?.due ?? Number.POSITIVE_INFINITY, isBehind: row?.behind ?? false };
}
