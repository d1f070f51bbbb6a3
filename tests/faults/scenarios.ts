import { BACKFILL_SPACE } from '../../src/domain/ids.ts';
import type { Step } from './arming.ts';
import { REQUEST_SCENARIOS } from './request-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { caller, type Story } from './story.ts';

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
  ...REQUEST_SCENARIOS,
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
  repair: {
    points: ['repair.before-write', 'repair.after-write', 'repair.after-commit'],
    begin: async (story) => {
      const chain = await story.chain(4);
      // As if the end of a run and the claim that waits for it had crossed.
      await story.seen('a timer waits for a run that has ended', async () => {
        const stuck = await story.lane.sql`
          update timers t set next_due = 'infinity' from runs r
          where t.schedule_id = ${chain} and t.next_due < 'infinity' and r.schedule_id = ${chain} and r.slot = t.last_fired and r.space = 0 and r.state = 'SUCCEEDED'
          returning 1`;
        return stuck.length > 0;
      });
      await story.everySecond(2, 'quick');
    },
    act: async (story) => {
      const [first] = story.lane.nodes;
      if (first !== undefined) await story.lane.replace(first);
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
