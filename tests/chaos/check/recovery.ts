import type { Fault, History } from '../history.ts';
import { type Facts, isHarmful, LEFT_STATES, recoveryMs } from './facts.ts';

/**
 * How long the runs that a killed node held and had not settled waited until they were delivered again, in milliseconds from the kill:
 * of each kill -9 that no other harmful fault touched until a lease and two seconds later, those it left work behind.
 */
export function redeliveries({ history, holds, changes, deliveries }: Facts): readonly (readonly number[])[] {
  const perKill = history.faults.filter(isAlone(history)).map(({ node, from }) => {
    const owners = new Set(Object.keys(history.owners).filter((owner) => history.owners[owner] === node));
    return [...holds].flatMap(([runId, all]): number[] => {
      const held = all.findLast(({ at }) => at <= from);
      const heir = all.find(({ at }) => at > from);
      if (held === undefined || heir === undefined || !owners.has(held.owner)) return [];
      // Settled before the kill, or by a statement that was on its way when it came.
      const hasLeft = changes
        .get(runId)
        ?.some(({ at, state }) => at >= held.at && at < heir.at && LEFT_STATES.includes(state));
      const again = deliveries.get(runId)?.find(({ at }) => at >= heir.at);
      return hasLeft === true || again === undefined ? [] : [again.at - from];
    });
  });
  return perKill.filter((waits) => waits.length > 0);
}

function isAlone({ faults, ...history }: History): (fault: Fault) => boolean {
  const within = recoveryMs({ faults, ...history });
  return (fault) =>
    fault.kind === 'kill' &&
    !faults.some(
      (other) => other !== fault && isHarmful(other) && other.from < fault.from + within && other.to > fault.from,
    );
}
