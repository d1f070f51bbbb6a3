import { traceIdOf } from '../../domain/ids.ts';
import type { Delivery } from '../../domain/ports/sender.ts';

/** What every delivery says of its run, over HTTP and brokers alike: name, value, name, value. `runId` is the delivery's, encoded once. */
export function deliveryHeaders(delivery: Delivery, runId: string): string[] {
  return [
    'x-scheduler-schedule-id',
    delivery.key.scheduleId,
    'x-scheduler-run-id',
    runId,
    'x-scheduler-attempt',
    String(delivery.attempt),
    'x-scheduler-scheduled-for',
    new Date(delivery.key.slot).toISOString(),
    'traceparent',
    traceparentOf(delivery),
  ];
}

/** The attempt's span; where nobody records it, a fresh unsampled one under the run's trace id, so that the target's own traces are found by it. */
function traceparentOf(delivery: Delivery): string {
  return delivery.trace?.traceparent ?? `00-${traceIdOf(delivery.key)}-${randomHex()}${randomHex()}-00`;
}

/** Eight hex digits, not all zero. */
function randomHex(): string {
  return Math.floor(Math.random() * 0xffffffff + 1)
    .toString(16)
    .padStart(8, '0');
}
