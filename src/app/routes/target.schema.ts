import { z } from 'zod';
import { json, line, matching } from './fields.ts';
import { checkHeaders, checkUrl } from './http-target.ts';

const method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']);
const SUBJECT = /^(?=.{1,200}$)[A-Za-z0-9_/-]+(?:\.[A-Za-z0-9_/-]+)*$/;
const COMMAND = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/;

const subject = matching(SUBJECT, '1 to 200 letters, digits, _, - or / in parts separated by single dots');
const commandName = matching(COMMAND, '1 to 200 letters, digits, ., _, :, / or -, the first a letter or digit');

const event = z.strictObject({
  kind: z.literal('EVENT'),
  eventTopic: subject.meta({ examples: ['reports.daily.generate'] }),
});
const queueOptions = z
  .strictObject({
    jobName: line(200).optional(),
    attempts: z.int().min(1).max(1000).optional(),
    priority: z.int().min(0).max(255).optional(),
    ttlSec: z.int().min(1).max(604_800).optional(),
  })
  .meta({
    description:
      'Needs a driver. REDIS heeds jobName (left out: the topic), attempts (of its worker; left out: 1) and priority (the lowest first, 0 before all); AMQP heeds priority (the highest first, more than 10 as 10) and ttlSec',
  });
const queue = z.strictObject({
  kind: z.literal('QUEUE'),
  queue: z.strictObject({
    topic: subject.meta({ examples: ['billing.invoices'] }),
    driver: z
      .enum(['NATS', 'REDIS', 'AMQP'])
      .optional()
      .meta({ description: 'JetStream, BullMQ on Redis, RabbitMQ. Left out: the deployment’s' }),
    options: queueOptions.optional(),
  }),
});
const command = z.strictObject({
  kind: z.literal('COMMAND'),
  command: z.strictObject({ name: commandName.meta({ examples: ['cleanup'] }) }),
});

const http = z.strictObject({
  kind: z.literal('HTTP'),
  http: z.strictObject({
    url: z
      .string()
      .superRefine(checkUrl)
      .meta({ format: 'uri', maxLength: 2048, examples: ['https://example.com/hooks/daily'] }),
    method: method.default('POST'),
    headers: z.record(z.string(), z.string()).superRefine(checkHeaders).default({}).meta({
      description:
        'At most 50; names of the connection, of the framing, Host and webhook-* are refused. Values may refer to secrets: Bearer {{secret:NAME}}',
    }),
    body: json.optional().meta({ description: 'Sent instead of the payload' }),
  }),
});

/** Where a run is delivered. */
export const target = z
  .discriminatedUnion('kind', [http, event, queue, command], {
    error: 'must be an object whose kind is HTTP, EVENT, QUEUE or COMMAND',
  })
  .meta({ id: 'Target' });

const shownHttp = z.object({
  kind: z.literal('HTTP'),
  http: z.object({
    url: z.string(),
    method,
    headers: z
      .record(z.string(), z.string())
      .meta({ description: 'Each value is masked, but for those that refer to a secret' }),
    body: json.optional(),
  }),
});

/** A target as answers show it. */
export const targetShown = z.discriminatedUnion('kind', [shownHttp, event, queue, command]).meta({ id: 'TargetShown' });

/** The kinds of target there are. */
export const targetKind = z.enum(['HTTP', 'EVENT', 'QUEUE', 'COMMAND']);
