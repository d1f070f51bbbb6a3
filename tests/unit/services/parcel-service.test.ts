import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import type { ScheduleVersion } from '../../../src/domain/entities/schedule-version.ts';
import type { Parcel } from '../../../src/domain/ports/courier.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { ParcelService } from '../../../src/domain/services/parcel-service.ts';
import { aDelivery } from '../../contract/senders/deliveries.ts';

/* What a worker makes of a parcel. */

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED' };
const { key, version } = aDelivery({ kind: 'EVENT', eventTopic: 'tests' });
const parcel: Parcel = { key, version: 1, cause: 'SCHEDULE', attempt: 2, due: key.slot, traceparent: 'of the engine' };

function open(
  send: (delivery: Delivery, signal: AbortSignal) => Promise<Outcome>,
  found: () => Promise<ScheduleVersion | null> = async () => version,
) {
  const failed: string[] = [];
  const parcels = new ParcelService({
    versions: { of: found },
    senders: { of: () => ({ send }) },
    journal: { loopFailed: (loop) => void failed.push(loop) },
  });
  const ending = new AbortController();
  return { failed, ending, deliver: (of: Parcel = parcel) => parcels.deliver(of, ending.signal) };
}

it('is sent as its engine would, with the version’s payload unless the run has its own', async () => {
  const sent: Delivery[] = [];
  const { deliver } = open(async (delivery) => {
    sent.push(delivery);
    return ACCEPTED;
  });
  expect([await deliver(), await deliver({ ...parcel, payload: null })]).toEqual([ACCEPTED, ACCEPTED]);
  expect(sent.map(({ attempt, payload, trace }) => [attempt, payload, trace?.traceparent])).toEqual([
    [2, version.definition.payload, 'of the engine'],
    [2, null, 'of the engine'],
  ]);
});

it('has its deadline from its start here, and a sender that does not stop is not waited for', async () => {
  const reasons: string[] = [];
  const { deliver } = open((_delivery, signal) => {
    signal.addEventListener('abort', () => void reasons.push(signal.reason.name));
    return new Promise(() => undefined);
  });
  const ended = deliver();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(reasons).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_001);
  expect(reasons).toEqual(['TimeoutError']);
  expect(await ended).toMatchObject({ kind: 'unanswered', attempt: 'TIMEOUT', possibleDuplicate: true });
});

it('is handed back where its definition cannot be read, and fails where none compiles or the sender throws', async () => {
  const broken = open(() => Promise.reject(new Error('a mistake')));
  expect(await broken.deliver()).toMatchObject({ kind: 'unanswered', attempt: 'FAILED' });
  expect(broken.failed).toEqual(['deliver']);
  const unread = open(
    async () => ACCEPTED,
    () => Promise.reject(new Error('the database is away')),
  );
  expect(await unread.deliver()).toMatchObject({ kind: 'aborted', retryAfterMs: 1_000 });
  const missing = open(
    async () => ACCEPTED,
    async () => null,
  );
  expect(await missing.deliver()).toMatchObject({ kind: 'unanswered', attempt: 'FAILED' });
});
