import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, inject } from 'vitest';
import type { DateutilAnswer } from './dateutil.ts';
import type { ExternalService } from './external-services.ts';
import type { ServiceAnswer } from './service-desk.ts';

/**
 * The URL of a NATS server with JetStream, or undefined where there is none; the run then ends by saying what to install.
 * `const url = await natsUrl(); describe.skipIf(url === undefined)('…', () => …)`
 */
export function natsUrl(): Promise<string | undefined> {
  return serviceUrl('nats');
}

/** The URL of a Redis, or undefined where there is none; as `natsUrl`. */
export function redisUrl(): Promise<string | undefined> {
  return serviceUrl('redis');
}

/** The URL of a RabbitMQ, or undefined where there is none; as `natsUrl`. */
export function rabbitmqUrl(): Promise<string | undefined> {
  return serviceUrl('rabbitmq');
}

/** Whether python3 with python-dateutil is here; where it is not, the run ends by saying what to install. */
export async function hasDateutil(): Promise<boolean> {
  return 'version' in (await askServiceDesk<DateutilAnswer>('dateutil'));
}

async function serviceUrl(name: ExternalService): Promise<string | undefined> {
  const answer = await askServiceDesk<ServiceAnswer>(name);
  return 'url' in answer ? answer.url : undefined;
}

/** Not `fetch`, which a test may have replaced. */
export async function askServiceDesk<Answer>(service: 'postgres' | 'dateutil' | ExternalService): Promise<Answer> {
  const url = new URL(service, inject('serviceDesk'));
  url.searchParams.set('file', expect.getState().testPath ?? '');
  const answered = Promise.withResolvers<Answer>();
  get(url, { agent: false }, (response) => {
    text(response).then((body) => {
      if (response.statusCode === 200) {
        answered.resolve(JSON.parse(body) as Answer);
      } else {
        answered.reject(new Error(`${service} did not start: ${body}`));
      }
    }, answered.reject);
  }).on('error', answered.reject);
  return answered.promise;
}
