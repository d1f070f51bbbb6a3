import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const TARGET = { kind: 'EVENT', eventTopic: 'tests' } as const;
const NOTHING_BY_DEFAULT: Partial<ScheduleInput> = {
  tz: 'America/Argentina/Buenos_Aires',
  trigger: { type: 'CRON', cron: '30 2 * * *' },
  target: { kind: 'HTTP', http: { url: 'https://example.com/a?b=%0A', method: 'PUT', headers: { 'x-key': 'k' } } },
  payload: { text: 'line\nline', list: [1, null, { ключ: '✓' }] },
  startAt: new Date('2090-01-01T00:00:00.123Z'),
  endAt: new Date('2091-12-31T23:59:59.999Z'),
  maxFires: 7,
  jitter: 'PT1M30S',
  dst: { gap: 'SKIP', fold: 'SECOND' },
  overlapPolicy: 'BUFFER_ALL',
  misfire: { policy: 'FIRE_ALL', thresholdSec: 90, windowSec: 7200 },
  timeoutSec: 45,
  pauseOnFailures: 4,
  onCompletion: 'DELETE',
};

describe('a definition that the engine reads', () => {
  test.each([
    ['of nothing by default', NOTHING_BY_DEFAULT],
    ['of defaults', {}],
    ['of a payload that is null', { payload: null }],
    ['of a payload that spells nothing', { payload: '' }],
  ])('is the one that was made: %s', async (_, given) => {
    const { schedule } = await bench.scheduling.create(newCaller(), scheduleInput({ target: TARGET, ...given }));
    const { id } = schedule.state;
    const loaded = await new ScheduleVersionCache(1, 1e6).load(bench.engine, [{ scheduleId: id, version: 1 }]);
    expect(loaded.of(id, 1)).toMatchObject({ problem: null, number: 1 });
    expect({ ...schedule.state, ...loaded.of(id, 1).version?.definition }).toEqual(schedule.state);
  });
});
