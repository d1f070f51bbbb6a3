import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarm } from '../../../src/app/workers/alarm.ts';
import { runLoop } from '../../../src/app/workers/loop.ts';
import { silentJournal } from '../../support/scheduling.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether the promise has settled once everything that was ready has run. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

describe('an alarm', () => {
  const never = new AbortController().signal;

  it('sleeps as long as it is told', async () => {
    const asleep = new Alarm().sleep(500, never);
    await vi.advanceTimersByTimeAsync(499);
    expect(await isOver(asleep)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isOver(asleep)).toBe(true);
  });

  it('is woken by a ring, and no second ring is left over', async () => {
    const alarm = new Alarm();
    const asleep = alarm.sleep(500, never);
    alarm.ring();
    expect(await isOver(asleep)).toBe(true);
    expect(await isOver(alarm.sleep(500, never))).toBe(false);
  });

  it('keeps a ring that came while nobody slept, however many there were', async () => {
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    expect(await isOver(alarm.sleep(500, never))).toBe(true);
    expect(await isOver(alarm.sleep(500, never))).toBe(false);
  });

  it('keeps a ring that came right after it woke', async () => {
    const alarm = new Alarm();
    const asleep = alarm.sleep(500, never);
    alarm.ring();
    alarm.ring();
    expect(await isOver(asleep)).toBe(true);
    expect(await isOver(alarm.sleep(500, never))).toBe(true);
  });

  it('wakes when the signal aborts, and does not sleep after that', async () => {
    const alarm = new Alarm();
    const over = new AbortController();
    const asleep = alarm.sleep(Number.MAX_SAFE_INTEGER, over.signal);
    over.abort();
    expect(await isOver(asleep)).toBe(true);
    expect(await isOver(alarm.sleep(500, over.signal))).toBe(true);
  });
});

describe('a loop', () => {
  function looping(step: () => Promise<number>) {
    const alarm = new Alarm();
    const over = new AbortController();
    const failed: unknown[] = [];
    const journal = { ...silentJournal(), loopFailed: (_loop: string, error: unknown) => void failed.push(error) };
    const ended = runLoop({ name: 'test', step, alarm }, journal, over.signal);
    return { alarm, over, failed, ended };
  }

  it('takes the next turn when its step wants it, or at a ring', async () => {
    let turns = 0;
    const { alarm, over, ended } = looping(async () => {
      turns += 1;
      return 1000;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(turns).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(turns).toBe(2);
    alarm.ring();
    await vi.advanceTimersByTimeAsync(0);
    expect(turns).toBe(3);
    over.abort();
    await ended;
  });

  it('never sleeps longer than a minute', async () => {
    let turns = 0;
    const { over, ended } = looping(async () => {
      turns += 1;
      return Number.POSITIVE_INFINITY;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(turns).toBe(2);
    over.abort();
    await ended;
  });

  it('goes on after a failure, ever later up to five seconds, and at once again after a success', async () => {
    const turns: number[] = [];
    const began = performance.now();
    const { over, ended, failed } = looping(async () => {
      turns.push(Math.floor((performance.now() - began) / 10) * 10);
      if (turns.length === 9) return 0;
      if (turns.length === 11) return 60_000;
      throw new Error('the database is gone');
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(turns).toEqual([0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300, 16_300, 16_400]);
    expect(failed).toHaveLength(9);
    over.abort();
    await ended;
  });

  it('is not hurried by rings while it waits after a failure, and answers them then', async () => {
    let turns = 0;
    const { alarm, over, ended } = looping(async () => {
      turns += 1;
      if (turns === 1) throw new Error('the database is gone');
      return 60_000;
    });
    for (let ms = 0; ms < 99; ms += 1) {
      alarm.ring();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(turns).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(turns).toBe(3);
    over.abort();
    await ended;
  });
});
