import type { JsonValue } from '../../domain/entities/json.ts';
import type { QueueOptions } from '../../domain/entities/target.ts';
import type { RunId } from '../../domain/ids.ts';
import type { Delivery } from '../../domain/ports/sender.ts';
import { deliveryHeaders } from './delivery-headers.ts';

/** A run on its way to a broker. */
export interface BrokerMessage {
  /** The run's: the same over every attempt. */
  readonly id: RunId;
  readonly kind: 'EVENT' | 'QUEUE';
  readonly topic: string;
  readonly headers: { readonly [name: string]: string };
  readonly data: JsonValue;
  /** Of a queue's message. */
  readonly options: QueueOptions;
}

const MAX_TOPIC_LENGTH = 200;
const NO_OPTIONS: QueueOptions = {};

/** Why a topic cannot be published to; null when it can: dot-separated parts of printable ASCII without wildcards. */
export function topicProblem(topic: string): string | null {
  if (topic.length === 0 || topic.length > MAX_TOPIC_LENGTH) return `a topic has 1 to ${MAX_TOPIC_LENGTH} characters`;
  if (!/^[\x21-\x7e]+$/.test(topic) || /[*>]/.test(topic))
    return 'a topic holds printable ASCII without spaces, "*" and ">"';
  return topic.split('.').includes('') ? 'a topic has no empty part between its dots' : null;
}

/** The message of a delivery to an EVENT or QUEUE target; null for another kind. An event is a CloudEvent 1.0 in its JSON form. */
export function brokerMessage(delivery: Delivery): BrokerMessage | null {
  const { target } = delivery.version.definition;
  const { runId: id } = delivery;
  const headers: Record<string, string> = {
    'content-type': target.kind === 'EVENT' ? 'application/cloudevents+json' : 'application/json',
  };
  const pairs = deliveryHeaders(delivery, id);
  for (let index = 0; index < pairs.length; index += 2) headers[pairs[index] ?? ''] = pairs[index + 1] ?? '';
  if (target.kind === 'QUEUE') {
    const { topic, options = NO_OPTIONS } = target.queue;
    return { id, kind: 'QUEUE', topic, headers, data: delivery.payload, options };
  }
  if (target.kind !== 'EVENT') return null;
  return {
    id,
    kind: 'EVENT',
    topic: target.eventTopic,
    headers,
    data: cloudEvent(delivery, id, { type: target.eventTopic, traceparent: headers['traceparent'] ?? '' }),
    options: NO_OPTIONS,
  };
}

function cloudEvent(
  delivery: Delivery,
  id: RunId,
  { type, traceparent }: { readonly type: string; readonly traceparent: string },
): JsonValue {
  return {
    specversion: '1.0',
    id,
    source: `/tenants/${delivery.tenantId}/schedules/${delivery.key.scheduleId}`,
    type,
    time: new Date(delivery.key.slot).toISOString(),
    datacontenttype: 'application/json',
    traceparent,
    data: delivery.payload,
  };
}
