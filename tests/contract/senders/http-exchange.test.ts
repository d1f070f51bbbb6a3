import { expect, test } from 'vitest';
import { Stop } from '../../../src/domain/services/stop.ts';
import { HttpExchange } from '../../../src/infra/messaging/http-exchange.ts';
import { NOW, noDeadline } from './deliveries.ts';

/** As undici hands it over; nothing here asks it for anything. */
const controller = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} };

function answered(status: number, told: ConstructorParameters<typeof HttpExchange>[2]): HttpExchange {
  const exchange = new HttpExchange(noDeadline(), () => NOW, told);
  exchange.onRequestStart(controller);
  exchange.onRequestSent();
  exchange.onResponseStart(controller, status, {});
  exchange.onResponseEnd();
  return exchange;
}

function unreadableClock(): never {
  throw new Error('no clock');
}

function broken(): never {
  throw new Error('broken');
}

test('an answer that cannot be read is one too, whatever undici calls after that, and a signal that aborts', async () => {
  const stop = new Stop();
  const exchange = new HttpExchange(stop, unreadableClock, (outcome) => outcome);
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 503, { 'retry-after': 'Mon, 02 Mar 2026 10:00:00 GMT' });
  exchange.onResponseEnd();
  exchange.onResponseError(controller, new Error('broken off'));
  stop.stop(new Error('deadline'));
  await expect(exchange.outcome).rejects.toThrow('no clock');
});

test('an outcome that cannot be told is a mistake of ours, and not one that never comes', async () => {
  await expect(answered(503, broken).outcome).rejects.toThrow('broken');
});

test('a success is told as it is', async () => {
  const outcome = await answered(204, broken).outcome;
  expect(outcome).toEqual({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 204 });
  expect(await answered(204, broken).outcome).toBe(outcome);
});
