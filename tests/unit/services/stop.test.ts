import { expect, test } from 'vitest';
import { Stop } from '../../../src/domain/services/stop.ts';

test('tells each listener once, in order, the first reason', () => {
  const stop = new Stop();
  const told: string[] = [];
  stop.addEventListener('abort', () => told.push(`first ${stop.reason?.message}`));
  stop.addEventListener('abort', { handleEvent: () => told.push(`second ${stop.reason?.message}`) });
  expect([stop.aborted, stop.reason]).toEqual([false, null]);
  stop.stop(new Error('deadline'));
  stop.stop(new Error('shutdown'));
  expect(told).toEqual(['first deadline', 'second deadline']);
  expect([stop.aborted, stop.reason?.message]).toEqual([true, 'deadline']);
});

test('tells nobody who has gone, and those who go meanwhile all the same', () => {
  const stop = new Stop();
  const told: string[] = [];
  const gone = (): void => void told.push('gone');
  const going = (): void => void told.push('going');
  stop.addEventListener('abort', gone);
  stop.addEventListener('abort', () => stop.removeEventListener('abort', going));
  stop.addEventListener('abort', going);
  stop.removeEventListener('abort', gone);
  stop.removeEventListener('abort', () => undefined);
  stop.stop(new Error('deadline'));
  expect(told).toEqual(['going']);
});
