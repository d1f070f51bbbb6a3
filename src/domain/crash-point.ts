/**
 * The places at which the fault tests stop, kill or trip a process, each named after the step it stands before or after.
 * docs/faults.md says what a crash at each of them leaves behind. Code imports this as `#crash-point`: under the condition
 * `crash-points` that is the tests' own module; the build leaves out both this file and every call.
 */
export const CRASH_POINTS = [
  'claim.before-lock',
  'claim.after-lock',
  'claim.after-write',
  'claim.after-commit',
  'deliver.before-start',
  'deliver.before-send',
  'deliver.after-request',
  'deliver.after-answer',
  'announce.before-write',
  'announce.after-write',
  'show.before-write',
  'show.after-write',
  'settle.before-write',
  'settle.after-write',
  'settle.before-commit',
  'settle.after-commit',
  'renew.before-write',
  'renew.after-write',
  'retry.before-lock',
  'retry.after-write',
  'retry.after-commit',
  'recover.before-lock',
  'recover.after-lock',
  'recover.after-write',
  'recover.after-commit',
  'backfill.before-lock',
  'backfill.after-lock',
  'backfill.after-write',
  'backfill.after-commit',
  'change.before-write',
  'change.after-timer',
  'change.after-write',
  'cancel.before-write',
  'cancel.after-write',
  'cancel.before-commit',
  'cancel.before-abort',
  'trigger.before-write',
  'trigger.after-write',
  'redrive.before-write',
  'redrive.after-write',
  'request.after-commit',
  'shutdown.before-stop',
  'shutdown.after-claimers',
  'shutdown.after-handback',
  'shutdown.after-flights',
  'shutdown.after-settle',
  'shutdown.after-renewal',
  'shutdown.before-leave',
  'shutdown.after-leave',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Marks a place; does nothing but in the fault tests. */
export function crashPoint(_point: CrashPoint): void {
  // Nothing crashes here.
}
