import { type Instant, instantText, readWrittenTime, type WrittenTime, wallText } from './instant.ts';
import { refuse } from './refuse.ts';
import type { DstPolicy } from './trigger.ts';
import { clockOf, type DstMark, instantsOf, wallAt } from './zone.ts';

/** When a ONE_SHOT fires; null: never, its local time is skipped. */
export interface OneShot {
  readonly at: Instant | null;
  /** Whether a clock change touched it. */
  readonly dst: DstMark;
}

/** The one way `startAt` is stored. A local time stays local, so that newer zone data moves it. Throws DomainError INVALID_TRIGGER. */
export function normaliseOneShot(startAt: string, tz: string): string {
  const written = read(startAt);
  if (written.offsetSec !== null) return instantText((written.wallSec - written.offsetSec) * 1000 + written.fractionMs);
  if (instantsOf(clockOf(tz, false, undefined), written.wallSec).length === 0)
    refuse('startAt', `does not exist in ${tz}`);
  const fraction = written.fractionMs === 0 ? '' : `.${String(written.fractionMs).padStart(3, '0')}`;
  return `${wallText(written.wallSec)}${fraction}`;
}

/** It is an appointment: behind a gap it fires at the first valid instant, in a fold once, unless `dst` says otherwise. Throws DomainError INVALID_TRIGGER. */
export function compileOneShot(startAt: string, tz: string, dst: DstPolicy | undefined): OneShot {
  const { wallSec, offsetSec, fractionMs } = read(startAt);
  if (offsetSec !== null) return { at: (wallSec - offsetSec) * 1000 + fractionMs, dst: null };
  const clock = clockOf(tz, false, dst);
  const [atSec] = instantsOf(clock, wallSec);
  if (atSec === undefined) return { at: null, dst: null };
  if (wallAt(clock.zone, atSec) !== wallSec)
    return { at: atSec * 1000 + (clock.gap === 'SHIFT' ? fractionMs : 0), dst: 'GAP' };
  const passes = instantsOf({ ...clock, fold: 'BOTH' }, wallSec).length;
  return { at: atSec * 1000 + fractionMs, dst: passes > 1 ? 'FOLD' : null };
}

function read(startAt: string): WrittenTime {
  return (
    readWrittenTime(startAt) ??
    refuse(
      'startAt',
      `${JSON.stringify(startAt.slice(0, 64))} is not a time: write "2026-01-01T09:00:00" (local) or "2026-01-01T08:00:00Z"`,
    )
  );
}
