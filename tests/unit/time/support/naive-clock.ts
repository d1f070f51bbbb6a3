import type { DstPolicy } from '../../../../src/domain/time/trigger.ts';

const THREE_HOURS_NS = 3 * 3600 * 1e9;

/** The instants (in ms) of a local time under a policy, by Temporal's own disambiguation: two, one or none. */
export function naiveInstants(local: Temporal.PlainDateTime, tz: string, policy: Required<DstPolicy>): number[] {
  const earlier = local.toZonedDateTime(tz, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(tz, { disambiguation: 'later' });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return [earlier.epochMilliseconds];
  if (later.toPlainDateTime().equals(local)) {
    const passes = { FIRST: [earlier], SECOND: [later], BOTH: [earlier, later] }[policy.fold ?? 'FIRST'];
    return passes.map((pass) => pass.epochMilliseconds);
  }
  if (policy.gap === 'SKIP' || later.offsetNanoseconds - earlier.offsetNanoseconds > THREE_HOURS_NS) {
    // In a gap "later" has the offset before it and "earlier" the one behind it, each shown with its own clock.
    return [];
  }
  if (policy.gap === 'SHIFT') return [later.epochMilliseconds];
  return [later.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NaN];
}

/** The defaults of a class of trigger, and what an author chose instead. */
export function policyOf(wild: boolean, dst: DstPolicy = {}): Required<DstPolicy> {
  return { gap: dst.gap ?? (wild ? 'SKIP' : 'NEXT_VALID'), fold: dst.fold ?? (wild ? 'BOTH' : 'FIRST') };
}

/** The instants at which a zone's offset changes within some years. */
export function transitionsOf(tz: string, fromYear: number, toYear: number): number[] {
  const found: number[] = [];
  const end = Date.UTC(toYear, 0, 1);
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(
    Date.UTC(fromYear, 0, 1),
  ).toZonedDateTimeISO(tz);
  while (at !== null) {
    at = at.getTimeZoneTransition('next');
    if (at === null || at.epochMilliseconds >= end) break;
    found.push(at.epochMilliseconds);
  }
  return found;
}
