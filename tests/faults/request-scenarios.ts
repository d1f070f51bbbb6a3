import { decodeRunId, encodeRunId, type RunKey, type ScheduleId } from '../../src/domain/ids.ts';
import type { Answer } from './lane.ts';
import type { Scenario } from './scenario.ts';
import { caller, type Story } from './story.ts';

const CREATED_AT_ONCE = 12;

/** What people and programs ask for. */
export const REQUEST_SCENARIOS = {
  pause: {
    points: ['change.before-write', 'change.after-timer', 'change.after-write', 'request.after-commit'],
    writes: 'change.after-write',
    begin: async (story) => void (await story.everySecond(3, 'brief', { overlapPolicy: 'BUFFER_ALL' })),
    act: async (story) => {
      const id = scheduleOf(story);
      await story.insist(`/schedules/${id}/pause`, { note: 'for a test' }, isConflict);
      await story.insist(`/schedules/${id}/resume`, { missed: 'FIRE_ALL' }, isConflict);
    },
  },
  resume: {
    points: ['change.before-write', 'change.after-timer', 'change.after-write', 'request.after-commit'],
    writes: 'change.after-write',
    begin: async (story) => {
      const id = await story.everySecond(3, 'quick');
      await story.lane.scheduling.service.pause(caller(), id, { note: null, resumeAt: null }, null);
      await story.seen('a slot passes in the pause', () => Date.now() > (story.expected[0]?.slot ?? 0));
    },
    act: async (story) => {
      await story.insist(`/schedules/${scheduleOf(story)}/resume`, { missed: 'FIRE_ALL' }, isConflict);
    },
  },
  cancel: {
    points: [
      ...(['cancel.before-write', 'cancel.after-write', 'cancel.before-commit', 'cancel.before-abort'] as const),
      'request.after-commit',
    ],
    writes: 'cancel.before-commit',
    begin: async (story) => {
      await story.once('long');
      await story.everySecond(2, 'quick');
    },
    act: async (story) => {
      await story.seen('a run is in flight', () => story.lane.targets.pending(story.name) > 0);
      const [{ scheduleId, slot } = missing()] = story.expected;
      const id = encodeRunId({ scheduleId, slot, space: 0 });
      await story.insist(`/runs/${id}/cancel`, {}, isConflict);
    },
  },
  trigger: {
    points: ['trigger.before-write', 'trigger.after-write', 'request.after-commit'],
    writes: 'trigger.after-write',
    begin: async (story) => void (await story.everySecond(2, 'quick')),
    act: async (story) => {
      const scheduleId = scheduleOf(story);
      const answers = await story.insist(`/schedules/${scheduleId}/trigger`, { payload: { by: 'hand' } }, () => false);
      for (const { status, body } of answers) {
        if (status >= 200 && status < 300) story.expectRun(keyIn(body));
        else story.suppose(scheduleId);
      }
    },
  },
  redrive: {
    points: ['redrive.before-write', 'redrive.after-write', 'request.after-commit'],
    writes: 'redrive.after-write',
    begin: async (story) => {
      await story.once('deadly');
      await story.seen('a run is dead', async () => (await story.runs()).some((run) => run.state === 'DEAD'));
      await story.everySecond(2, 'quick');
    },
    act: async (story) => {
      const [{ scheduleId, slot } = missing()] = story.expected;
      await story.insist(`/runs/${encodeRunId({ scheduleId, slot, space: 0 })}/retry`, {}, isConflict);
    },
  },
  create: {
    points: ['create.before-write', 'create.before-commit', 'request.after-commit'],
    writes: 'create.before-commit',
    begin: async (story) => void (await story.everySecond(2, 'quick')),
    act: async (story) => {
      const headers = { 'idempotency-key': story.name };
      await story.insist('/schedules', story.body(story.name, 2), () => false, { headers });
      await story.expectMade(story.name, 2);
    },
  },
  together: {
    points: [
      ...(['together.before-write', 'together.after-write', 'together.before-commit'] as const),
      'request.after-commit',
    ],
    writes: 'together.before-commit',
    begin: async (story) => void (await story.everySecond(2, 'quick')),
    act: async (story) => {
      // Two have transactions of their own; those that come while these are under way share one.
      const keys = Array.from({ length: CREATED_AT_ONCE }, (_, index) => `${story.name}:${index}`);
      await Promise.all(keys.map((key) => story.insist('/schedules', story.body(key, 1), isConflict)));
      for (const key of keys) await story.expectMade(key, 1);
    },
  },
  delete: {
    points: ['delete.before-write', 'delete.after-timer', 'delete.after-write', 'request.after-commit'],
    writes: 'delete.after-write',
    begin: async (story) => {
      await story.doomed('brief', { key: story.name });
      await story.everySecond(2, 'quick');
      await story.seen('a run is in flight', () => story.lane.targets.pending(story.name) > 0);
    },
    act: async (story) => {
      const id = await idOf(story, story.name);
      await story.insist(`/schedules/${id}`, undefined, isGone, { method: 'DELETE' });
      await story.seen('it is deleted', async () => (await idOf(story, story.name)) === null);
    },
  },
  bulk: {
    points: ['bulk.before-write', 'bulk.after-changes', 'bulk.after-write', 'request.after-commit'],
    writes: 'bulk.after-write',
    begin: async (story) => {
      await story.everySecond(3, 'brief', { overlapPolicy: 'BUFFER_ALL', key: `${story.name}:paused` });
      await story.doomed('brief', { key: `${story.name}:deleted` });
    },
    act: async (story) => {
      const items = [
        { op: 'UPSERT', schedule: story.body(`${story.name}:made`, 2) },
        { op: 'PAUSE', key: `${story.name}:paused` },
        { op: 'DELETE', key: `${story.name}:deleted` },
      ];
      // Asked again, what was done already is refused item by item.
      await story.insist('/schedules/bulk', { items }, () => false);
      await story.expectMade(`${story.name}:made`, 2);
      await story.insist(`/schedules/${scheduleOf(story)}/resume`, { missed: 'FIRE_ALL' }, isConflict);
      await story.seen('one is deleted', async () => (await idOf(story, `${story.name}:deleted`)) === null);
    },
  },
  redriving: {
    points: ['redriving.after-lock', 'redriving.after-write', 'redriving.after-commit'],
    begin: async (story) => {
      for (let made = 0; made < 3; made += 1) await story.once('deadly');
      await story.seen('all are dead', async () => (await story.runs()).filter(isDead).length === 3);
      await story.everySecond(2, 'quick');
      const ids = story.expected.slice(0, 3).map(({ scheduleId, slot }) => ({ scheduleId, slot, space: 0 }));
      await story.lane.scheduling.redrives.request(caller(), { filter: { runs: ids }, ratePerSec: 100 });
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

function scheduleOf(story: Story): ScheduleId {
  const [first = missing()] = story.expected;
  return first.scheduleId;
}

function keyIn(body: unknown): RunKey {
  const id = typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : '';
  const key = decodeRunId(id);
  if (key === null) throw new Error(`an answer names no run: ${JSON.stringify(body)}`);
  return key;
}

/** It was done already, by a request whose answer was lost, or it no longer can be. */
function isConflict(answer: Answer): boolean {
  return answer.status === 409;
}

function missing(): never {
  throw new Error('the case has made no schedule');
}

async function idOf(story: Story, key: string): Promise<ScheduleId | null> {
  const [row] = await story.lane.sql<
    { id: ScheduleId }[]
  >`select id from schedules where key = ${key} and deleted_at is null`;
  return row?.id ?? null;
}

function isDead({ state }: { readonly state: string }): boolean {
  return state === 'DEAD';
}

/** It was deleted already, by a request whose answer was lost. */
function isGone(answer: Answer): boolean {
  return answer.status === 404;
}
