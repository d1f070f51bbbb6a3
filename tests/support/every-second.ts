import type postgres from 'postgres';
import { asTenantId } from '../../src/domain/ids.ts';
import type { ExpectedSlot, Verdict } from './history.ts';
import { type OpenScheduling, scheduleInput } from './scheduling.ts';

/** Many schedules of some tenants, each due every second from `firstSlot` on (a full second, epoch ms), `seconds` times. */
export interface EverySecond {
  readonly schedules: number;
  readonly seconds: number;
  readonly firstSlot: number;
  /** Where the deliveries go, each schedule to a path of its own. */
  readonly receiverUrl: string;
}

const TENANTS = 20;
const RETRY = { maxAttempts: 20, initialDelaySec: 1, backoffCoefficient: 1, maxDelaySec: 2, jitter: 1, maxAgeSec: 600 };

/** Creates them. Answers the slots that arithmetic asks for. */
export async function createEverySecond(
  scheduling: OpenScheduling,
  load: EverySecond,
): Promise<readonly ExpectedSlot[]> {
  const expected: ExpectedSlot[] = [];
  for (let index = 0; index < load.schedules; index += 1) {
    const tenantId = asTenantId(`tenant-${index % TENANTS}`);
    if (tenantId === null) throw new Error('a tenant id was refused');
    // On a machine too busy to make all of them before the first slot, those made late begin late.
    const firstSlot = Math.max(load.firstSlot, fullSecondIn(500));
    const steps = Array.from({ length: load.seconds }, (_, step) => firstSlot + step * 1000);
    const input = scheduleInput({
      name: `every second ${index}`,
      trigger: { type: 'INTERVAL', every: 'PT1S', anchor: new Date(firstSlot).toISOString() },
      target: { kind: 'HTTP', http: { url: `${load.receiverUrl}/hook/${index}`, method: 'POST', headers: {} } },
      payload: { index },
      startAt: new Date(firstSlot),
      endAt: new Date(firstSlot + (load.seconds - 1) * 1000),
      overlapPolicy: 'ALLOW_ALL',
      misfire: { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 },
      retry: RETRY,
    });
    const { schedule } = await scheduling.service.create({ tenantId, subject: 'test', organizationId: null }, input);
    // The first slot of a schedule lies after its creation, which a busy machine may delay.
    const createdAt = schedule.state.createdAt.getTime();
    const scheduleId = schedule.state.id;
    expected.push(...steps.filter((slot) => slot > createdAt).map((slot) => ({ scheduleId, slot })));
  }
  return expected;
}

/** A full second, so far from now that everything can be made ready before it. */
export function fullSecondIn(ms: number): number {
  return Math.ceil((Date.now() + ms) / 1000) * 1000;
}

/** True when no slot is to come and no run is open. */
export async function isAtRest(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql<{ open: number }[]>`
    select (select count(*) from timers)::int + (select count(*) from retries)::int + (select count(*) from claims)::int as open`;
  return row?.open === 0;
}

/** What the checker says of a history in which every promise held. */
export const ALL_KEPT: Verdict = {
  lost: [],
  invented: [],
  createdTwice: [],
  unfinished: [],
  successWithoutAnswer: [],
  silentSkip: [],
  early: [],
  bodyChanged: [],
  unexplainedDuplicate: [],
  undelivered: [],
  brokenChain: [],
};
