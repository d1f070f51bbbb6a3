import type { Outcome } from '../../domain/entities/run.ts';
import type { QueueTarget, Target, TargetKind } from '../../domain/entities/target.ts';
import { DomainError } from '../../domain/errors.ts';
import { neverReached } from '../../domain/never.ts';
import type { Sender, Senders } from '../../domain/ports/sender.ts';
import { topicProblem } from './broker-message.ts';
import type { Egress } from './http-sender.ts';
import type { QueueSender } from './queue-sender.ts';

export interface SenderParts {
  readonly egress: Pick<Egress, 'checkUrl'>;
  readonly http: Sender;
  readonly command: Sender;
  /** For EVENT targets; null when the deployment has neither NATS nor the in-process bus. */
  readonly event: Sender | null;
  readonly queue: QueueSender;
}

const NO_BROKER = 'no broker is configured (NATS_URL)';

/** The one place that says which sender serves which kind of target. */
export function createSenders(parts: SenderParts): Senders {
  return {
    of(kind: TargetKind): Sender {
      switch (kind) {
        case 'HTTP':
          return parts.http;
        case 'COMMAND':
          return parts.command;
        case 'EVENT':
          return parts.event ?? brokerless;
        case 'QUEUE':
          return parts.queue;
        default:
          return neverReached(kind);
      }
    },
    check(target: Target): void {
      const problem = problemOf(target, parts);
      if (problem !== null) throw new DomainError('TARGET_NOT_ALLOWED', problem.message, [problem]);
    },
  };
}

function problemOf(target: Target, parts: SenderParts): { readonly path: string; readonly message: string } | null {
  switch (target.kind) {
    case 'HTTP':
      return problemAt('target.http.url', parts.egress.checkUrl(target.http.url));
    case 'EVENT':
      return problemAt('target.eventTopic', parts.event === null ? NO_BROKER : topicProblem(target.eventTopic));
    case 'QUEUE':
      return queueProblem(target.queue, parts.queue);
    case 'COMMAND':
      return null;
    default:
      return neverReached(target);
  }
}

function queueProblem(
  queue: QueueTarget,
  sender: QueueSender,
): { readonly path: string; readonly message: string } | null {
  const problem = sender.problemOf(queue);
  if (problem !== null) return { path: `target.queue.${problem.field}`, message: problem.message };
  return problemAt('target.queue.topic', topicProblem(queue.topic));
}

function problemAt(path: string, message: string | null): { readonly path: string; readonly message: string } | null {
  return message === null ? null : { path, message };
}

/** A schedule from before the broker was taken away waits for its return, as long as its policy allows. */
const brokerless: Sender = {
  send(): Outcome {
    return { kind: 'unanswered', attempt: 'NETWORK', reason: NO_BROKER };
  },
};
