import { type Facts, FINAL_STATES, recoveryMs } from './facts.ts';

/**
 * From each kill -9 that no other fault touched until a lease and two seconds later: how long the runs that the node held and had not
 * settled waited until they were delivered again, in milliseconds.
 */
export function redeliveries({ history, holds, changes, deliveries }: Facts): readonly number[] {
  const within = recoveryMs(history);
  const alone = history.faults.filter(
    (fault) =>
      fault.kind === 'kill' &&
      !history.faults.some((other) => other !== fault && other.from < fault.from + within && other.to > fault.from),
  );
  return alone.flatMap(({ node, from }) => {
    const owners = new Set(Object.keys(history.owners).filter((owner) => history.owners[owner] === node));
    return [...holds].flatMap(([runId, all]): number[] => {
      const held = all.findLast(({ at }) => at <= from);
      if (held === undefined || !owners.has(held.owner)) return [];
      const row = changes.get(runId)?.findLast(({ at }) => at <= from);
      if (row !== undefined && row.at >= held.at && [...FINAL_STATES, 'RETRYING'].includes(row.state)) return [];
      const heir = all.find(({ at, fence }) => at > from && fence > 1);
      const again = deliveries.get(runId)?.find(({ at }) => at >= (heir?.at ?? Number.POSITIVE_INFINITY));
      return again === undefined ? [] : [again.at - from];
    });
  });
}
