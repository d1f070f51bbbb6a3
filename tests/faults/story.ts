import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { asTenantId, type RunKey, type ScheduleId } from '../../src/domain/ids.ts';
import type { ExpectedChain, ExpectedSlot, RunRecord } from '../support/history.ts';
import { readRuns } from '../support/history.ts';
import { scheduleInput } from '../support/scheduling.ts';
import { until } from '../support/until.ts';
import { type Answer, type FaultNode, type How, type Lane, TENANT } from './lane.ts';
import type { TargetKind } from './targets.ts';

const SECOND = 1_000;
/** How long a fact may take to come about on a machine that does much else. */
const WITHIN_MS = 90_000;
/** Between two looks at the database. */
const LOOK_EVERY_MS = 40;

/** What happens in one case: the schedules it makes and what must become of them. */
export class Story {
  readonly name: string;
  readonly lane: Lane;
  readonly expected: ExpectedSlot[] = [];
  readonly chains: ExpectedChain[] = [];
  readonly #schedules = new Set<ScheduleId>();
  readonly #doomed = new Set<ScheduleId>();
  /** Schedules for which a run was asked for without an answer, how often. */
  readonly #unanswered = new Map<ScheduleId, number>();

  constructor(lane: Lane, name: string) {
    this.lane = lane;
    this.name = name;
  }

  /** A schedule that fires every second, so often, beginning within a second. Its grid may reach into the past. */
  async everySecond(
    times: number,
    kind: TargetKind,
    given: Partial<ScheduleInput> = {},
    gridBeforeMs = 0,
  ): Promise<ScheduleId> {
    const first = Math.ceil(Date.now() / SECOND + 0.1) * SECOND;
    const endAt = new Date(first + (times - 1) * SECOND);
    const trigger = { type: 'INTERVAL', every: 'PT1S', anchor: new Date(first - gridBeforeMs).toISOString() } as const;
    const { id, createdAt } = await this.create(kind, { trigger, endAt, overlapPolicy: 'ALLOW_ALL', ...given });
    const slots: number[] = [];
    for (let slot = endAt.getTime(); slot > createdAt && slot >= first - gridBeforeMs; slot -= SECOND)
      slots.unshift(slot);
    this.expect(id, slots);
    return id;
  }

  /** A schedule whose one slot is due now. */
  async once(kind: TargetKind, given: Partial<ScheduleInput> = {}): Promise<ScheduleId> {
    const slot = Math.floor(Date.now() / SECOND) * SECOND;
    const { id } = await this.create(kind, {
      trigger: { type: 'ONE_SHOT', startAt: new Date(slot).toISOString() },
      ...given,
    });
    this.expect(id, [slot]);
    return id;
  }

  /** A schedule whose runs follow one another a second apart, so often. */
  async chain(fires: number): Promise<ScheduleId> {
    const trigger = { type: 'FIXED_DELAY', delaySec: 1 } as const;
    const { id, createdAt } = await this.create('quick', { trigger, maxFires: fires });
    this.chains.push({ scheduleId: id, fires, delayMs: SECOND, from: createdAt });
    return id;
  }

  async create(
    kind: TargetKind,
    given: Partial<ScheduleInput>,
  ): Promise<{ readonly id: ScheduleId; readonly createdAt: number }> {
    const { schedule } = await this.lane.scheduling.service.create(
      caller(),
      scheduleInput({
        name: `${this.name} ${kind}`,
        target: { kind: 'HTTP', http: { url: this.lane.targets.urlOf(this.name, kind), method: 'POST', headers: {} } },
        payload: { of: this.name },
        misfire: { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 },
        retry: {
          maxAttempts: 20,
          initialDelaySec: 0,
          backoffCoefficient: 1,
          maxDelaySec: 1,
          jitter: 1,
          maxAgeSec: 600,
        },
        ...given,
      }),
    );
    const { id, createdAt } = schedule.state;
    this.#schedules.add(id);
    return { id, createdAt: createdAt.getTime() };
  }

  /** A schedule that a case deletes while its slots come: whichever were fired by then have a record, and none is missed. */
  async doomed(kind: TargetKind, given: Partial<ScheduleInput> = {}): Promise<ScheduleId> {
    const { id } = await this.create(kind, {
      trigger: { type: 'INTERVAL', every: 'PT1S' },
      overlapPolicy: 'BUFFER_ALL',
      ...given,
    });
    this.#doomed.add(id);
    return id;
  }

  /** What a client asks for: a schedule that fires every second, so often, from its creation on. */
  body(key: string, fires: number): object {
    const url = this.lane.targets.urlOf(this.name, 'quick');
    const retry = { maxAttempts: 20, initialDelaySec: 1, backoffCoefficient: 1, maxDelaySec: 1 };
    return {
      ...{
        name: `${this.name} by request`,
        key,
        payload: { of: this.name },
        maxFires: fires,
        overlapPolicy: 'ALLOW_ALL',
        retry,
      },
      trigger: { type: 'INTERVAL', every: 'PT1S', anchor: new Date(0).toISOString() },
      target: { kind: 'HTTP', http: { url, method: 'POST', headers: {} } },
      misfire: { policy: 'FIRE_ALL', thresholdSec: 60 },
    };
  }

  /** A schedule of {@link body} is there: its slots follow from when it was made. */
  async expectMade(key: string, fires: number): Promise<void> {
    const rows = await this.lane.sql<{ id: ScheduleId; created: number }[]>`
      select id, date_part('epoch', created_at) * 1000 as created from schedules where key = ${key}`;
    if (rows.length !== 1) throw new Error(`there are ${rows.length} schedules with the key ${key}`);
    for (const { id, created } of rows) {
      this.#schedules.add(id);
      const first = (Math.floor(created / SECOND) + 1) * SECOND;
      this.expect(
        id,
        Array.from({ length: fires }, (_, index) => first + index * SECOND),
      );
    }
  }

  /** These slots must have a record. `space`: left out, they are the schedule's own. */
  expect(scheduleId: ScheduleId, slots: readonly number[], space = 0): void {
    this.expected.push(...slots.map((slot) => ({ scheduleId, slot, space })));
  }

  expectRun(key: RunKey): void {
    this.expected.push(key);
  }

  /** A request for a run of this schedule was not answered: it may have been made. */
  suppose(scheduleId: ScheduleId): void {
    this.#unanswered.set(scheduleId, (this.#unanswered.get(scheduleId) ?? 0) + 1);
  }

  /** The records of this case's schedules. */
  async runs(): Promise<readonly RunRecord[]> {
    return (await readRuns(this.lane.sql)).filter((run) => this.#schedules.has(run.scheduleId));
  }

  /** Of the runs that nobody acknowledged, as many as unanswered requests explain; and those of schedules that were deleted. */
  possible(runs: readonly RunRecord[]): readonly ExpectedSlot[] {
    const doomed = runs.filter(({ scheduleId }) => this.#doomed.has(scheduleId));
    const acknowledged = new Set(this.expected.map(({ scheduleId, slot, space }) => `${scheduleId} ${slot} ${space}`));
    const unknown = runs.filter(
      ({ scheduleId, slot, space }) => space > 1 && !acknowledged.has(`${scheduleId} ${slot} ${space}`),
    );
    const unheard = [...Map.groupBy(unknown, (run) => run.scheduleId)].flatMap(([id, found]) =>
      found.slice(0, this.#unanswered.get(id) ?? 0),
    );
    return [...doomed, ...unheard];
  }

  async seen(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    await until(`${this.name}: ${what}`, isSo, WITHIN_MS, LOOK_EVERY_MS);
  }

  /** Asks like a client that wants it done: again, of whoever is there, until the answer is yes or `isDone`. Answers every answer. */
  async insist(
    path: string,
    body: unknown,
    isDone: (answer: Answer) => boolean,
    how: How = {},
  ): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    await this.seen(`the answer to ${path}`, async () => {
      const node = this.#someone();
      if (node === undefined) return false;
      const answer = await this.lane.ask(node, path, body, how);
      answers.push(answer);
      if (answer.status >= 400 && answer.status < 500 && !isDone(answer))
        throw new Error(`${path} was refused: ${JSON.stringify(answer)}`);
      return (answer.status >= 200 && answer.status < 300) || isDone(answer);
    });
    return answers;
  }

  #someone(): FaultNode | undefined {
    return this.lane.nodes[0];
  }
}

export function caller() {
  const tenantId = asTenantId(TENANT);
  if (tenantId === null) throw new Error('the tenant id was refused');
  return { tenantId, subject: 'faults', organizationId: null };
}
