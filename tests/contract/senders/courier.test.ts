import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import type { DeliverParcel, Parcel } from '../../../src/domain/ports/courier.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { CourierPost } from '../../../src/infra/messaging/courier-post.ts';
import { CourierSender } from '../../../src/infra/messaging/courier-sender.ts';
import { type DispatchNames, dispatchNames } from '../../../src/infra/messaging/dispatch-words.ts';
import { NatsConnector } from '../../../src/infra/messaging/nats-connection.ts';
import { natsUrl } from '../../support/services.ts';
import { until } from '../../support/until.ts';
import { aDelivery, noDeadline } from './deliveries.ts';

/* An engine's side and a worker's side of the work queue, on a real server. */

const url = (await natsUrl()) ?? '';
const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 202 };
const clock = { monotonic: () => performance.now() };
const journal = { note: () => undefined, loopFailed: () => undefined };

function connectorTo(server: string, names: DispatchNames): NatsConnector {
  const connector = new NatsConnector({ url: server, streams: [names.stream], journal });
  onTestFinished(() => connector.close());
  return connector;
}

test('a broker that is away hands the run back at once, without an attempt', async () => {
  const names = dispatchNames('away');
  const sender = new CourierSender({ connector: connectorTo('nats://127.0.0.1:1', names), names, engine: 'e', clock });
  expect(await sender.send(aDelivery({ kind: 'EVENT', eventTopic: 't' }), noDeadline())).toMatchObject({
    kind: 'aborted',
    retryAfterMs: 1_000,
  });
});

describe.skipIf(url === '')('with JetStream', () => {
  let connection: NatsConnection;
  const streams: string[] = [];
  beforeAll(async () => {
    connection = await connect({ servers: url });
  });
  afterAll(async () => {
    const manager = await jetstreamManager(connection);
    for (const stream of streams) await manager.streams.delete(stream).catch(() => undefined);
    await connection.close();
  });

  function open(given: { readonly beginMs?: number } = {}) {
    const names = dispatchNames(`test-${randomUUID().slice(0, 8)}`);
    streams.push(names.stream.name);
    const engine = connectorTo(url, names);
    const sender = new CourierSender({ connector: engine, names, engine: randomUUID(), clock, ...given });
    const worker = (): CourierPost =>
      new CourierPost({ connector: connectorTo(url, names), names, journal, places: 1 });
    const waiting = async (): Promise<number> => {
      const manager = await jetstreamManager(connection);
      return manager.streams.info(names.stream.name).then(
        ({ state }) => state.messages,
        () => 0,
      );
    };
    return { sender, worker, waiting, engine, names };
  }

  /** An event, with what its flight is told. */
  function aFlight() {
    const told = { began: 0, tell: (): void => undefined };
    const delivery: Delivery = aDelivery(
      { kind: 'EVENT', eventTopic: 'tests' },
      {
        payload: { own: true },
        began: () => {
          told.began += 1;
        },
        whenSettled: (tell) => {
          told.tell = tell;
        },
      },
    );
    return { delivery, told };
  }

  test('the outcome comes back, and the parcel leaves the queue once it is settled, not before', async () => {
    const { sender, worker, waiting } = open();
    const { delivery, told } = aFlight();
    const sent = sender.send(delivery, noDeadline());
    const parcels: Parcel[] = [];
    await until('it waits', async () => (await waiting()) === 1);
    const post = worker();
    await post.take(async (parcel) => {
      parcels.push(parcel);
      return ACCEPTED;
    }, noDeadline());
    expect(await sent).toEqual(ACCEPTED);
    const { key, cause, attempt, due } = delivery;
    expect(parcels).toEqual([{ key, cause, attempt, due, version: 1, payload: { own: true }, traceparent: null }]);
    await until('the worker is done', () => post.open === 0);
    expect([told.began, await waiting()]).toEqual([1, 1]);
    told.tell();
    await until('it has left', async () => (await waiting()) === 0);
  });

  test('what nobody begins is handed back, and never delivered after that', async () => {
    const { sender, worker, waiting } = open({ beginMs: 300 });
    const { delivery, told } = aFlight();
    expect(await sender.send(delivery, noDeadline())).toMatchObject({ kind: 'aborted', retryAfterMs: 1_000 });
    const post = worker();
    await post.take(() => Promise.reject(new Error('it was delivered')), noDeadline());
    await until('it has left', async () => (await waiting()) === 0);
    expect(told.began).toBe(0);
  });

  test('an attempt that is no longer wanted ends in the worker too', async () => {
    const { sender, worker } = open();
    const cancel = new AbortController();
    const sent = sender.send(aFlight().delivery, cancel.signal);
    const ended = Promise.withResolvers<boolean>();
    const deliver: DeliverParcel = (_parcel, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          ended.resolve(true);
          resolve({ kind: 'aborted', attempt: 'ABORTED' });
        });
        cancel.abort(new Error('the run was cancelled'));
      });
    await worker().take(deliver, noDeadline());
    expect(await sent).toMatchObject({ kind: 'aborted', possibleDuplicate: true });
    expect(await ended.promise).toBe(true);
  });

  test('a parcel whose engine is gone is not delivered', async () => {
    const { sender, worker, waiting, engine } = open();
    const cancel = new AbortController();
    const sent = sender.send(aFlight().delivery, cancel.signal);
    await until('it waits', async () => (await waiting()) === 1);
    await engine.close();
    cancel.abort(new Error('the process is gone'));
    expect(await sent).toMatchObject({ kind: 'aborted', possibleDuplicate: false });
    const post = worker();
    await post.take(() => Promise.reject(new Error('it was delivered')), noDeadline());
    await until('the worker is done', () => post.open === 0);
    expect(await waiting()).toBe(1);
  });

  test('a worker that goes silent is followed by another', async () => {
    const { sender, worker, names } = open();
    const { delivery, told } = aFlight();
    const sent = sender.send(delivery, noDeadline());
    const connector = connectorTo(url, names);
    const begun = Promise.withResolvers<void>();
    const never: DeliverParcel = () => {
      begun.resolve();
      return new Promise(() => undefined);
    };
    await new CourierPost({ connector, names, journal, places: 1 }).take(never, noDeadline());
    await begun.promise;
    await connector.close();
    const second = worker();
    await until(
      'it is delivered',
      async () => {
        await second.take(async () => ACCEPTED, noDeadline());
        return told.began > 1;
      },
      40_000,
    );
    expect([await sent, told.began]).toEqual([ACCEPTED, 2]);
  });
});
