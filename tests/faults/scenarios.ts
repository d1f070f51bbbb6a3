import type { CrashPoint } from '../../src/domain/crash-point.ts';
import { BACKFILL_SPACE, decodeRunId, encodeRunId, type RunKey, type ScheduleId } from '../../src/domain/ids.ts';
import type { Step } from './arming.ts';
import type { Answer } from './lane.ts';
import { caller, type Story } from './story.ts';

/** A course of events that reaches crash points. */
export interface Scenario {
  /** The points that it reaches, each in a case of its own. */
  readonly points: readonly CrashPoint[];
  /** Where its request has written: what is committed after that is its own. */
  readonly writes?: CrashPoint;
  /** What has to go wrong first. */
  readonly prelude?: readonly Step[];
  /** Makes the schedules; the crash may come from here on. */
  begin(story: Story): Promise<void>;
  /** What a client or an operator does then, while the crash comes. */
  act?(story: Story): Promise<void>;
  /** The process that crashes was told to end. */
  readonly isShutdown?: boolean;
}

/** A claim that its holder forgets: nobody renews it, so somebody has to recover it. */
const FORGOTTEN: readonly Step[] = [{ point: 'claim.after-commit', mode: 'throw' }];
const HALF_A_MINUTE = 30_000;
const MINUTE = 60_000;

export const SCENARIOS = {
  slots: {
    points: [
      ...(['claim.before-lock', 'claim.after-lock', 'claim.after-write', 'claim.after-commit'] as const),
      ...(['deliver.before-start', 'deliver.before-send', 'deliver.after-request'] as const),
      ...(['deliver.after-answer', 'show.before-write', 'show.after-write'] as const),
      ...(['settle.before-write', 'settle.after-write', 'settle.before-commit', 'settle.after-commit'] as const),
      ...(['renew.before-write', 'renew.after-write'] as const),
    ],
    begin: manySlots,
  },
  retries: {
    points: ['retry.before-lock', 'retry.after-write', 'retry.after-commit'],
    begin: async (story) => {
      await story.everySecond(2, 'flaky');
      await story.everySecond(2, 'brief', { overlapPolicy: 'BUFFER_ALL' });
      await story.once('flaky');
    },
  },
  orphans: {
    points: ['recover.before-lock', 'recover.after-lock', 'recover.after-write', 'recover.after-commit'],
    prelude: FORGOTTEN,
    begin: manySlots,
  },
  suspect: {
    points: ['announce.before-write', 'announce.after-write'],
    prelude: FORGOTTEN,
    begin: async (story) => void (await story.once('quick')),
  },
  backfill: {
    points: ['backfill.before-lock', 'backfill.after-lock', 'backfill.after-write', 'backfill.after-commit'],
    begin: async (story) => {
      const id = await story.everySecond(2, 'brief', {}, MINUTE);
      const to = Math.floor(Date.now() / 1_000) * 1_000 - HALF_A_MINUTE;
      await story.lane.scheduling.backfills.request(caller(), id, { from: to - 4_000, to, limit: 10 });
      const slots = Array.from({ length: 5 }, (_, index) => to - index * 1_000);
      story.expect(id, slots, BACKFILL_SPACE);
    },
  },
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
  shutdown: {
    points: [
      ...(['shutdown.before-stop', 'shutdown.after-claimers', 'shutdown.after-handback'] as const),
      ...(['shutdown.after-flights', 'shutdown.after-settle', 'shutdown.after-renewal'] as const),
      ...(['shutdown.before-leave', 'shutdown.after-leave'] as const),
    ],
    isShutdown: true,
    begin: manySlots,
    act: async (story) => {
      await story.seen('a run is in flight', () => story.lane.targets.pending(story.name) > 0);
      story.lane.nodes[0]?.process.signal('SIGTERM');
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Some of everything: every overlap policy, a chain, a target that fails first. */
async function manySlots(story: Story): Promise<void> {
  await story.everySecond(2, 'quick');
  await story.everySecond(2, 'slow', { overlapPolicy: 'SKIP' });
  await story.everySecond(2, 'brief', { overlapPolicy: 'BUFFER_ALL' });
  await story.everySecond(2, 'slow', { overlapPolicy: 'CANCEL_OTHER' });
  await story.everySecond(2, 'flaky', { overlapPolicy: 'BUFFER_ONE' });
  await story.chain(2);
}

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
