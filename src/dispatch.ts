import type { Config } from './config.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Senders } from './domain/ports/sender.ts';
import { CourierPost } from './infra/messaging/courier-post.ts';
import { CourierSender } from './infra/messaging/courier-sender.ts';
import { dispatchNames } from './infra/messaging/dispatch-words.ts';
import { dispatchedSenders } from './infra/messaging/dispatched-senders.ts';
import { NatsConnector } from './infra/messaging/nats-connection.ts';

interface DispatchNeeds {
  readonly senders: Senders;
  readonly commands: ReadonlyMap<string, unknown>;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly closing: AsyncDisposableStack;
}

/** Who delivers: `senders` of the engine, and where a worker of this process gets its parcels; null without the role. */
export interface Dispatch {
  readonly senders: Senders;
  readonly post: CourierPost | null;
}

/** With `DISPATCH=local` the engine delivers what it claims; with `nats` it passes it on to workers. */
export function openDispatch(config: Config, needs: DispatchNeeds): Dispatch {
  const { senders: local, commands, nodeId: engine, clock, journal, closing } = needs;
  if (config.DISPATCH === 'local' || config.NATS_URL === undefined) return { senders: local, post: null };
  const names = dispatchNames(config.DISPATCH_NAMESPACE);
  const connector = new NatsConnector({ url: config.NATS_URL, streams: [names.stream], journal });
  closing.defer(() => connector.close());
  const courier = new CourierSender({ connector, names, engine, clock });
  return {
    senders: dispatchedSenders(local, courier, commands),
    post: config.ROLES.includes('worker')
      ? new CourierPost({ connector, names, journal, places: config.DELIVERY_CONCURRENCY })
      : null,
  };
}
