import type { Outcome } from './run.ts';
import type { ScheduleVersion } from './schedule-version.ts';
import type { Target } from './target.ts';

/** The origin of each HTTP target, which versions share; read from its URL once. */
const origins = new WeakMap<Target, string | null>();

/** Whom a version's deliveries go to: the origin of an HTTP target, which its tenant's deliveries share; null for other kinds. */
export function destinationOf(version: ScheduleVersion): string | null {
  const { target } = version.definition;
  if (target.kind !== 'HTTP') return null;
  const known = origins.get(target);
  if (known !== undefined) return known;
  const origin = URL.canParse(target.http.url) ? new URL(target.http.url).origin : null;
  origins.set(target, origin);
  return origin;
}

/**
 * What an outcome says of its destination. DOWN: it did not answer, or with a 5xx; UP: it answered, whatever it said; null:
 * nothing, as the attempt never got there or was ended by us.
 */
export function healthShownBy(outcome: Outcome): 'UP' | 'DOWN' | null {
  switch (outcome.attempt) {
    case 'ACCEPTED':
      return 'UP';
    case 'HTTP_STATUS':
      return outcome.httpStatus !== undefined && outcome.httpStatus >= 500 ? 'DOWN' : 'UP';
    case 'TIMEOUT':
    case 'NETWORK':
      return 'DOWN';
    default:
      return null;
  }
}
