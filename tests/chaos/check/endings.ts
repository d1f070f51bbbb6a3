import type { RunRecord } from '../history.ts';
import { concerns, type Facts, FINAL_STATES, nameOf, type Subject, writtenEndOf } from './facts.ts';

/* How runs ended: all of them, each for a reason that something in the history bears out. */

export interface Endings {
  readonly stuck: readonly string[];
  readonly silentSkip: readonly string[];
  readonly successWithoutAnswer: readonly string[];
  readonly overlapping: readonly string[];
}

/** A node's idea of the database's time, and the order of two writes of one moment. */
const SLACK_MS = 1_500;

export function checkEndings(facts: Facts): Endings {
  const stuck: string[] = [];
  const silentSkip: string[] = [];
  const successWithoutAnswer: string[] = [];
  const overlapping: string[] = [];
  for (const subject of facts.subjects) {
    const all = [...subject.slots, ...subject.manual, ...subject.backfilled];
    for (const run of all) {
      if (!FINAL_STATES.includes(run.state)) stuck.push(nameOf(run, run.state));
      const problem = whyUnfounded(facts, subject, run);
      if (problem !== null) silentSkip.push(nameOf(run, problem));
      if (run.state === 'SUCCEEDED' && !wasAnswered(facts, subject, run)) successWithoutAnswer.push(nameOf(run));
    }
    overlapping.push(...overlaps(facts, subject));
    if (!['COMPLETED'].includes(subject.schedule.state) && subject.schedule.deletedAt === null)
      stuck.push(`${subject.schedule.id}: ${subject.schedule.state} at the end`);
  }
  return { stuck, silentSkip, successWithoutAnswer, overlapping };
}

/** A delivery that was answered 2xx, or a message in the stream. Without a broker to read, its runs are not judged. */
function wasAnswered({ deliveries, published }: Facts, { plan }: Subject, run: RunRecord): boolean {
  if (plan.target !== 'HTTP') return published.has(run.id);
  return (deliveries.get(run.id) ?? []).some(({ status }) => status >= 200 && status < 300);
}

function whyUnfounded(facts: Facts, subject: Subject, run: RunRecord): string | null {
  if (run.state !== 'SKIPPED' && run.state !== 'CANCELLED' && run.state !== 'DEAD') return null;
  if (run.reason === null) return `${run.state} without a reason`;
  const isBorneOut = bearsOut(facts, subject, run);
  return isBorneOut ? null : `nothing bears out ${run.state} ${run.reason}`;
}

function bearsOut(facts: Facts, subject: Subject, run: RunRecord): boolean {
  const { plan, schedule, operations } = subject;
  const asked = (kind: string): boolean => operations.some((operation) => operation.kind === kind);
  switch (`${run.state} ${run.reason}`) {
    case 'SKIPPED OVERLAP':
      return isOverlapped(facts, subject, run);
    case 'SKIPPED MISFIRE':
      return (
        isMissed(subject, run) ||
        (mayBePassedOver(plan) && (isPassedOver(subject, run) || isRedated(facts, subject, run)))
      );
    case 'SKIPPED PAUSED':
      return asked('pause') || hasGone(facts, subject);
    case 'SKIPPED CALENDAR':
      return plan.calendar !== null;
    case 'SKIPPED BY_USER':
      return bySkipNext(subject);
    case 'CANCELLED BY_USER':
      return operations.some(({ kind, runId }) => kind === 'cancel' && runId === run.id);
    case 'CANCELLED OVERLAP':
      return (
        plan.overlap === 'CANCEL_OTHER' &&
        subject.slots.some(({ slot, state }) => slot > run.slot && state !== 'SKIPPED')
      );
    case 'CANCELLED DELETED':
      return schedule.deletedAt !== null;
    case 'DEAD EXHAUSTED':
      return isExhausted(plan.maxAttempts, run);
    case 'DEAD REFUSED':
      return wasAnsweredWith(facts, run, (status) => status >= 300 && status < 500 && status !== 410);
    case 'DEAD GONE':
      return wasAnsweredWith(facts, run, (status) => status === 410);
    case 'DEAD POISON':
      return diedAlone(facts, run) >= 3;
    default:
      return false;
  }
}

/** The run fired before it had not ended when it was skipped. */
function isOverlapped(facts: Facts, { plan, slots }: Subject, run: RunRecord): boolean {
  if (plan.overlap !== 'SKIP' && plan.overlap !== 'BUFFER_ONE') return false;
  const decidedAt = run.endedAt ?? 0;
  return slots.some(
    (other) => other.slot < run.slot && other.state !== 'SKIPPED' && writtenEndOf(facts, other) > decidedAt - SLACK_MS,
  );
}

/** The first slot of the stretch was late by more than the threshold when it was decided, or when a person changed the trigger. */
function isMissed({ plan }: Subject, run: RunRecord): boolean {
  const lateMs = (run.endedAt ?? 0) - run.slot;
  return plan.misfire.policy !== 'FIRE_ALL' && lateMs > plan.misfire.thresholdSec * 1000;
}

/** Whether of several slots that have just come due unclaimed only the last is fired when the trigger or its dates change. */
function mayBePassedOver({ overlap, misfire }: Subject['plan']): boolean {
  return overlap !== 'ALLOW_ALL' && misfire.policy !== 'FIRE_ALL';
}

/** Another trigger came, and of the slots that no node had claimed by then only the last was fired. */
function isPassedOver({ operations }: Subject, { endedAt }: RunRecord): boolean {
  const decidedAt = endedAt ?? 0;
  return operations.some(
    ({ trigger, at, until }) => trigger !== undefined && decidedAt >= at - SLACK_MS && decidedAt <= until + SLACK_MS,
  );
}

/** The same where the dates of its calendar changed: the very change that ended its version decided on it. */
function isRedated({ history }: Facts, { plan, schedule }: Subject, { version, endedAt }: RunRecord): boolean {
  const until = history.versions[schedule.id]?.find(({ number }) => number === version)?.until ?? null;
  return plan.calendar !== null && until !== null && Math.abs((endedAt ?? 0) - until) <= 1;
}

function hasGone(facts: Facts, { slots, manual, backfilled }: Subject): boolean {
  return [...slots, ...manual, ...backfilled].some((run) => wasAnsweredWith(facts, run, (status) => status === 410));
}

function bySkipNext({ slots, operations }: Subject): boolean {
  const skipped = slots.filter(({ state, reason }) => state === 'SKIPPED' && reason === 'BY_USER').length;
  return skipped <= operations.filter(({ kind }) => kind === 'skip-next').length;
}

function isExhausted(maxAttempts: number, { attempts }: RunRecord): boolean {
  return attempts.filter(({ outcome }) => outcome !== 'ABORTED').length >= maxAttempts;
}

function wasAnsweredWith({ deliveries }: Facts, run: RunRecord, is: (status: number) => boolean): boolean {
  return (deliveries.get(run.id) ?? []).some(({ status }) => is(status));
}

/** Holders of this run, alone in its claim, that were hit by a fault before the next took it over. */
function diedAlone({ history, holds }: Facts, run: RunRecord): number {
  const all = holds.get(run.id) ?? [];
  return all.filter((hold, index) => {
    if (hold.runIds.length !== 1) return false;
    const until = all[index + 1]?.at ?? run.endedAt ?? history.endedAt;
    return history.faults.some((fault) => concerns(fault, history.owners[hold.owner], hold.at, until));
  }).length;
}

/** Where the policy allows one run at a time: none is delivered before the run fired before it has ended. */
function overlaps({ deliveries, history }: Facts, { plan, slots, operations }: Subject): readonly string[] {
  const isSingle = plan.overlap !== 'ALLOW_ALL' && plan.overlap !== 'CANCEL_OTHER';
  if ((!isSingle && plan.trigger.type !== 'FIXED_DELAY') || plan.target !== 'HTTP') return [];
  if (operations.some(({ kind }) => kind === 'retry' || kind === 'resume')) return [];
  const fired = slots.filter(({ state }) => state !== 'SKIPPED');
  return fired.flatMap((run, index) => {
    const before = fired[index - 1];
    const began = deliveries.get(run.id)?.[0]?.at;
    if (before === undefined || began === undefined) return [];
    const endedAt = before.endedAt ?? history.endedAt;
    return began < endedAt - SLACK_MS ? [nameOf(run, `${endedAt - began} ms before the run before it ended`)] : [];
  });
}
