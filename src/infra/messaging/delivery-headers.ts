import { unsampledTraceparent } from '../../domain/ids.ts';
import type { Delivery } from '../../domain/ports/sender.ts';
import { textOfInstants } from '../../domain/time/instant.ts';

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
    slotText(delivery.key.slot),
    'traceparent',
    traceparentOf(delivery),
  ];
}

/** Slots that are due together are often the same. */
const slotText = textOfInstants();

/** The attempt's span; where nobody records it, a fresh unsampled one under the run's trace id, so that the target's own traces are found by it. */
function traceparentOf(delivery: Delivery): string {
  return delivery.trace?.traceparent ?? unsampledTraceparent(delivery.key, randomWord(), randomWord());
}

/** 32 bits, not all zero. */
function randomWord(): number {
  return Math.floor(Math.random() * 0xffffffff + 1);
}
