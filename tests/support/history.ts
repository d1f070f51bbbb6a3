import type postgres from 'postgres';
import { encodeRunId, type ScheduleId } from '../../src/domain/ids.ts';
import type { Received } from './receiver.ts';

/** A slot that must have been created, computed apart from the service. */
export interface ExpectedSlot {
  readonly scheduleId: ScheduleId;
  readonly slot: number;
}

export interface RunRecord extends ExpectedSlot {
  readonly space: number;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: readonly { readonly outcome: string; readonly httpStatus?: number }[];
}

/** A stretch in which some node was killed or stopped: what explains a second delivery. Epoch ms. */
export interface Fault {
  readonly from: number;
  readonly to: number;
}

export interface History {
  readonly expected: readonly ExpectedSlot[];
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
  return {
    lost: [...expected].filter((name) => !records.has(name)),
    invented: [
      ...[...records.keys()].filter((name) => !expected.has(name)),
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
    undelivered: history.runs.filter((run) => run.state !== 'SKIPPED' && !deliveries.has(idOf(run))).map(nameOf),
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
    }[]
  >`
    select schedule_id, date_part('epoch', slot) * 1000 as slot, space, state, reason, attempts from runs`;
  return rows.map(({ schedule_id: scheduleId, slot, ...row }) => ({ ...row, scheduleId, slot: Math.round(slot) }));
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
  return `${slot.scheduleId} ${new Date(slot.slot).toISOString()}`;
}
