import type postgres from 'postgres';
import { encodeRunId, type ScheduleId } from '../../src/domain/ids.ts';
import type { Received } from './receiver.ts';

/** A slot that must have been created, computed apart from the service. */
export interface ExpectedSlot {
  readonly scheduleId: ScheduleId;
  readonly slot: number;
  /** Left out: the schedule's own slots. */
  readonly space?: number;
}

/** A FIXED_DELAY schedule, whose slots follow from the ends of its runs: so many, the first after `from` (epoch ms). */
export interface ExpectedChain {
  readonly scheduleId: ScheduleId;
  readonly fires: number;
  readonly delayMs: number;
  readonly from: number;
}

export interface RunRecord extends ExpectedSlot {
  readonly space: number;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: readonly { readonly outcome: string; readonly httpStatus?: number }[];
  /** Epoch ms. */
  readonly endedAt?: number | null;
  /** The slots it stands for when they are several. */
  readonly range?: { readonly from: string; readonly to: string } | null;
}

/** A stretch in which some node was killed or stopped: what explains a second delivery. Epoch ms. */
export interface Fault {
  readonly from: number;
  readonly to: number;
}

export interface History {
  readonly expected: readonly ExpectedSlot[];
  /** What may have been created, as the request for it was not answered. */
  readonly possible?: readonly ExpectedSlot[];
  readonly chains?: readonly ExpectedChain[];
  readonly runs: readonly RunRecord[];
  readonly received: readonly Received[];
  readonly faults: readonly Fault[];
  /** Clocks of receiver and database may differ by this much, ms. */
  readonly clockErrorMs: number;
}

/** What is wrong with a history: each list names the slots or ids concerned. All empty: the promises held. */
export interface Verdict {
  readonly lost: readonly string[];
  readonly invented: readonly string[];
  readonly createdTwice: readonly string[];
  readonly unfinished: readonly string[];
  readonly successWithoutAnswer: readonly string[];
  readonly silentSkip: readonly string[];
  readonly early: readonly string[];
  readonly bodyChanged: readonly string[];
  readonly unexplainedDuplicate: readonly string[];
  readonly undelivered: readonly string[];
  readonly brokenChain: readonly string[];
}

/** Compares what should have happened with the records and with what the receiver wrote down. Holds no scheduling code. */
export function judge(history: History): Verdict {
  const expected = new Set(history.expected.map(nameOf));
  const records = new Map<string, RunRecord[]>();
  for (const run of history.runs) records.set(nameOf(run), [...(records.get(nameOf(run)) ?? []), run]);
  const deliveries = Map.groupBy(history.received, (received) => String(received.headers['webhook-id']));
  const answered = (run: RunRecord): boolean =>
    (deliveries.get(idOf(run)) ?? []).some((received) => received.status < 300);
  const known = new Set(history.runs.map(idOf));
  const ranges = history.runs.filter((run) => run.range !== undefined && run.range !== null);
  const isCovered = (slot: ExpectedSlot): boolean =>
    records.has(nameOf(slot)) || ranges.some((range) => covers(range, slot));
  const chains = history.chains ?? [];
  const isPossible = (run: RunRecord): boolean =>
    chains.some((chain) => chain.scheduleId === run.scheduleId) ||
    (history.possible ?? []).some((slot) => nameOf(slot) === nameOf(run));
  return {
    lost: history.expected.filter((slot) => !isCovered(slot)).map(nameOf),
    invented: [
      ...history.runs.filter((run) => !expected.has(nameOf(run)) && !isPossible(run)).map(nameOf),
      ...[...deliveries.keys()].filter((id) => !known.has(id)),
    ],
    createdTwice: [...records].filter(([, runs]) => runs.length > 1).map(([name]) => name),
    unfinished: history.runs.filter((run) => ['PENDING', 'RUNNING', 'RETRYING'].includes(run.state)).map(nameOf),
    successWithoutAnswer: history.runs.filter((run) => run.state === 'SUCCEEDED' && !answered(run)).map(nameOf),
    silentSkip: history.runs
      .filter((run) => ['SKIPPED', 'DEAD', 'CANCELLED'].includes(run.state) && run.reason === null)
      .map(nameOf),
    early: history.received
      .filter((received) => received.at < slotOf(received) - history.clockErrorMs)
      .map((received) => String(received.headers['webhook-id'])),
    bodyChanged: [...deliveries]
      .filter(([, all]) => new Set(all.map((received) => received.body)).size > 1)
      .map(([id]) => id),
    unexplainedDuplicate: [...deliveries].filter(([, all]) => !isExplained(all, history.faults)).map(([id]) => id),
    undelivered: history.runs
      .filter((run) => !['SKIPPED', 'CANCELLED'].includes(run.state) && !deliveries.has(idOf(run)))
      .map(nameOf),
    brokenChain: chains.flatMap((chain) => brokenIn(chain, history.runs)),
  };
}

/** Every run row of the database. */
export async function readRuns(sql: postgres.Sql): Promise<readonly RunRecord[]> {
  const rows = await sql<
    {
      schedule_id: ScheduleId;
      slot: number;
      space: number;
      state: string;
      reason: string | null;
      attempts: RunRecord['attempts'];
      range: NonNullable<RunRecord['range']> | null;
      ended_at: number | null;
    }[]
  >`
    select schedule_id, date_part('epoch', slot) * 1000 as slot, space, state, reason, attempts, range,
           date_part('epoch', ended_at) * 1000 as ended_at
    from runs`;
  return rows.map(({ schedule_id: scheduleId, slot, ended_at: endedAt, ...row }) => ({
    ...row,
    scheduleId,
    slot: Math.round(slot),
    endedAt: endedAt === null ? null : Math.round(endedAt),
  }));
}

function covers({ scheduleId, range, space }: RunRecord, slot: ExpectedSlot): boolean {
  if (range === undefined || range === null || scheduleId !== slot.scheduleId || space !== (slot.space ?? 0)) {
    return false;
  }
  return Date.parse(range.from) <= slot.slot && slot.slot <= Date.parse(range.to);
}

/** What is wrong with a chain: how many slots it has, or that one came too soon after the end of the run before. */
function brokenIn(chain: ExpectedChain, runs: readonly RunRecord[]): readonly string[] {
  const links = runs
    .filter((run) => run.scheduleId === chain.scheduleId && run.space === 0)
    .toSorted((left, right) => left.slot - right.slot);
  const tooSoon = links.filter((link, index) => {
    const before = index === 0 ? chain.from : links[index - 1]?.endedAt;
    return before === undefined || before === null || link.slot < before + chain.delayMs;
  });
  const count = links.length === chain.fires ? [] : [`${chain.scheduleId} has ${links.length} of ${chain.fires} slots`];
  return [...count, ...tooSoon.map(nameOf)];
}

/** A second delivery is explained by a failed answer before it, or by a fault between the two. */
function isExplained(all: readonly Received[], faults: readonly Fault[]): boolean {
  const ordered = all.toSorted((left, right) => left.at - right.at);
  return ordered.every((received, index) => {
    const before = ordered[index - 1];
    if (before === undefined || before.status >= 300) return true;
    return faults.some((fault) => fault.from <= received.at && fault.to >= before.at);
  });
}

function slotOf(received: Received): number {
  return Date.parse(String(received.headers['x-scheduler-scheduled-for']));
}

function idOf(run: RunRecord): string {
  return encodeRunId({ scheduleId: run.scheduleId, slot: run.slot, space: run.space });
}

function nameOf(slot: ExpectedSlot): string {
  const space = slot.space ?? 0;
  return `${slot.scheduleId} ${new Date(slot.slot).toISOString()}${space === 0 ? '' : ` #${space}`}`;
}
