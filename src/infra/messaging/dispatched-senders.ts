import type { Target } from '../../domain/entities/target.ts';
import type { Delivery, Sender, Senders } from '../../domain/ports/sender.ts';

/** The senders of an engine that leaves delivery to workers. A command that this process has itself stays here. */
export function dispatchedSenders(
  local: Senders,
  courier: Sender,
  commands: Pick<ReadonlyMap<string, unknown>, 'has'>,
): Senders {
  const here = local.of('COMMAND');
  const senderOf = ({ version }: Delivery): Sender => (isHere(version.definition.target, commands) ? here : courier);
  const command: Sender = {
    graceMs: (delivery) => senderOf(delivery).graceMs?.(delivery) ?? 0,
    send: (delivery, signal) => senderOf(delivery).send(delivery, signal),
  };
  return { of: (kind) => (kind === 'COMMAND' ? command : courier), check: (target) => local.check(target) };
}

function isHere(target: Target, commands: Pick<ReadonlyMap<string, unknown>, 'has'>): boolean {
  return target.kind === 'COMMAND' && commands.has(target.command.name);
}
