import { seededRandom } from '../support/random.ts';
import type { Overlap, Plan, PlannedTrigger, Temper } from './history.ts';
import { BURST, type FaultStep, faultDealer, type Random, type RequestStep, requestDealer } from './steps.ts';

/* What a seed means: the schedules of a campaign and its steps. Pure, so that the same seed plans the same campaign. */

export interface Step {
  readonly index: number;
  /** From the start of the campaign. */
  readonly atMs: number;
  readonly fault?: FaultStep;
  readonly request?: RequestStep;
}

export interface Campaign {
  readonly plans: readonly Plan[];
  /** How many of them exist before the first step. */
  readonly standing: number;
  readonly steps: readonly Step[];
  /** Steps come one after the other, each so long after all nodes are ready as its time says. */
  readonly isPatient: boolean;
}

const TENANTS = 5;
/** One step each so often. */
const PACE_MS = 500;
/** So many steps with faults, then so many without: what is late once those have worn off has no excuse. */
const STORM = 30;
const CALM = 30;
/** In a long campaign: the last faults and what they leave behind take up to 17 s of it. */
const LONG_CALM = 60;
/** What opens breakers takes minutes to heal: only long campaigns hold it. */
const LONG_STEPS = 200;
const FAULT_SHARE = 0.35;

/** What a campaign is planned into. */
export interface Frame {
  readonly seed: number;
  /** The full second at which slots may begin. */
  readonly startAt: number;
  /** Decides how long a stopped node sleeps. */
  readonly leaseMs: number;
  /** What is not installed is not planned. */
  readonly hasBroker: boolean;
  readonly hasFakeTime: boolean;
}

/** `scale`: how many schedules stand at the start, as a share of about three hundred. */
export function planCampaign(of: Frame & { readonly steps: number; readonly scale: number }): Campaign {
  const random = seededRandom(of.seed);
  const isLong = of.steps >= LONG_STEPS;
  const lengthMs = of.steps * PACE_MS;
  const cycle = STORM + (isLong ? LONG_CALM : CALM);
  const endAt = of.startAt + Math.ceil((lengthMs + 3_000) / 1000) * 1000;
  const isPossible = (kind: Kind): boolean =>
    kind === 'event' || kind === 'queue' ? of.hasBroker : isLong || kind !== 'retriggered';
  const kinds = KINDS.filter(([kind]) => isPossible(kind));
  const plans = kinds
    .flatMap(([kind, count]) => Array.from({ length: Math.max(1, Math.round(count * of.scale)) }, () => kind))
    .map((kind, index) => planOf(kind, index, random, { startAt: of.startAt, endAt }));
  const standing = plans.length;
  const another = (): Plan => {
    const [kind] = kinds[Math.floor(random() * kinds.length)] ?? ['interval'];
    return planOf(kind, plans.length, random, { startAt: of.startAt, endAt });
  };
  const newPlans = ({ kind, plan }: RequestStep): readonly Plan[] => {
    if (kind === 'create') return [another()];
    if (kind !== 'burst') return [];
    const tenant = tenantOf(plan);
    return Array.from({ length: BURST }, (_, turn) => ({ ...another(), index: plan + turn, tenant, isKeyed: true }));
  };
  const nextFault = faultDealer(random, { ...of, isLong });
  const nextRequest = requestDealer(random, plans);
  const steps = Array.from({ length: of.steps }, (_, index): Step => {
    const atMs = index * PACE_MS;
    const isStorm = index % cycle < STORM;
    if (isStorm && random() < FAULT_SHARE) return { index, atMs, fault: nextFault() };
    const request = nextRequest();
    for (const made of newPlans(request)) plans.push(made);
    return { index, atMs, request };
  });
  return { plans, standing, steps, isPatient: false };
}

type Kind =
  | 'interval'
  | 'cron'
  | 'rrule'
  | 'chain'
  | 'once'
  | 'calendar'
  | 'flaky'
  | 'hostile'
  | 'gone'
  | 'refusing'
  | 'jitter'
  | 'misfire'
  | 'retriggered'
  | 'event'
  | 'queue'
  | Overlap;

/** How many schedules of each kind stand at scale 1. */
const KINDS: readonly (readonly [Kind, number])[] = [
  ['interval', 90],
  ['cron', 40],
  ['rrule', 40],
  ['chain', 16],
  ['once', 24],
  ['calendar', 15],
  ['flaky', 16],
  ['hostile', 12],
  ['gone', 4],
  ['refusing', 6],
  ['jitter', 8],
  ['misfire', 12],
  ['retriggered', 8],
  ['event', 8],
  ['queue', 8],
  ['SKIP', 8],
  ['BUFFER_ONE', 8],
  ['BUFFER_ALL', 6],
  ['CANCEL_OTHER', 8],
];

const CRONS = ['* * * * * *', '*/2 * * * * *', '1-59/2 * * * * *', '0,10,11,12,30,45 * * * * *', '*/3 * * * 1-12 *'];
const RRULES = [
  'FREQ=SECONDLY',
  'FREQ=SECONDLY;INTERVAL=2',
  'FREQ=MINUTELY;BYSECOND=3,4,5,20,41,59',
  'FREQ=SECONDLY;INTERVAL=3',
];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'];

/** When slots may come. */
interface Stretch {
  readonly startAt: number;
  readonly endAt: number;
}

export function planOf(kind: Kind, index: number, random: Random, when: Stretch): Plan {
  const overlap: Overlap = isOverlap(kind) ? kind : 'ALLOW_ALL';
  const misfires = ['SKIP', 'FIRE_ONCE'] as const;
  return {
    index,
    tenant: tenantOf(index),
    isKeyed: false,
    tz: ZONES[Math.floor(random() * ZONES.length)] ?? 'UTC',
    trigger: triggerOf(kind, random, when),
    target: kind === 'event' ? 'EVENT' : kind === 'queue' ? 'QUEUE' : 'HTTP',
    temper: temperOf(kind, random),
    calendar: kind === 'calendar' ? 'closed' : null,
    isRetriggered: kind === 'retriggered',
    isFickle: index % 5 === 4,
    overlap,
    misfire:
      kind === 'misfire'
        ? { policy: misfires[index % 2] ?? 'SKIP', thresholdSec: 1 + Math.floor(random() * 3) }
        : { policy: 'FIRE_ALL', thresholdSec: 60 },
    jitterSec: kind === 'jitter' ? 1 : 0,
    maxAttempts: kind === 'flaky' && random() < 0.3 ? 2 : 40,
    timeoutSec: kind === 'hostile' ? 2 : 8,
    endAt: when.endAt,
  };
}

function tenantOf(index: number): string {
  return `tenant-${index % TENANTS}`;
}

function isOverlap(kind: Kind): kind is Overlap {
  return kind === kind.toUpperCase();
}

function triggerOf(kind: Kind, random: Random, { startAt, endAt }: Stretch): PlannedTrigger {
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  if (kind === 'cron') return { type: 'CRON', cron: pick(CRONS) ?? '' };
  if (kind === 'rrule') return { type: 'RRULE', rrule: pick(RRULES) ?? '', dtstart: startAt - 3_600_000 };
  if (kind === 'chain') return { type: 'FIXED_DELAY', delaySec: 1 + Math.floor(random() * 2) };
  if (kind === 'once')
    return { type: 'ONE_SHOT', at: startAt + Math.floor((random() * (endAt - startAt)) / 1000) * 1000 };
  const everySec = kind === 'jitter' ? 3 : kind === 'interval' ? 1 : (pick([1, 2, 3]) ?? 1);
  // Answers take up to 1.6 s: some slots of a short campaign must come before the run before them has ended.
  if (kind === 'CANCEL_OTHER') return { type: 'INTERVAL', everySec: 1, anchor: startAt - 60_000 };
  return { type: 'INTERVAL', everySec, anchor: startAt - 60_000 };
}

function temperOf(kind: Kind, random: Random): Temper {
  if (kind === 'flaky' || kind === 'hostile' || kind === 'gone' || kind === 'refusing') return kind;
  if (isOverlap(kind)) return 'slow';
  if (kind === 'chain') return random() < 0.5 ? 'flaky' : 'good';
  return 'good';
}
