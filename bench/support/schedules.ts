import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { Trigger } from '../../src/domain/time/trigger.ts';

/** Where the schedules of a benchmark live: with and without clock changes, with odd offsets, on both hemispheres. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'Europe/Madrid',
  'Europe/Kyiv',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/Lagos',
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Sao_Paulo',
  'America/Santiago',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Asia/Shanghai',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Apia',
];
const SECONDS_OF_DAY = 86_400;
/** Shares no factor with the seconds of a day: each index below 86,400 gets a second of its own. */
const STRIDE = 7919;

/** The definition of one schedule with the API's defaults and a COMMAND target. Triggers differ up to 86,400 of them. */
export function scheduleInput(
  index: number,
  command: string,
  trigger: Trigger = recurringTrigger(index),
): ScheduleInput {
  return {
    name: `schedule ${index}`,
    key: null,
    description: null,
    labels: {},
    scope: 'TENANT',
    organizationId: null,
    tz: ZONES[index % ZONES.length] ?? 'UTC',
    trigger,
    target: { kind: 'COMMAND', command: { name: command } },
    payload: null,
    startAt: null,
    endAt: null,
    maxFires: null,
    jitter: null,
    dst: {},
    calendars: null,
    excluded: null,
    overlapPolicy: 'SKIP',
    misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 },
    retry: {
      maxAttempts: 8,
      initialDelaySec: 5,
      backoffCoefficient: 3,
      maxDelaySec: 3600,
      jitter: 1,
      maxAgeSec: 86_400,
    },
    timeoutSec: 30,
    pauseOnFailures: null,
    onCompletion: 'KEEP',
  };
}

/** Three cron expressions for each recurrence rule, over daily, weekly and monthly patterns. */
export function recurringTrigger(index: number): Trigger {
  const time = (index * STRIDE) % SECONDS_OF_DAY;
  const [second, minute, hour] = [time % 60, Math.floor(time / 60) % 60, Math.floor(time / 3600)];
  const at = `BYHOUR=${hour};BYMINUTE=${minute};BYSECOND=${second}`;
  const clock = `${second} ${minute} ${hour}`;
  const patterns: readonly Trigger[] = [
    { type: 'CRON', cron: `${clock} * * *` },
    { type: 'CRON', cron: `${clock} * * 1-5` },
    { type: 'CRON', cron: `${clock} 1,15 * *` },
    { type: 'RRULE', rrule: `FREQ=DAILY;${at}` },
    { type: 'CRON', cron: `${second} ${minute} */3 * * *` },
    { type: 'CRON', cron: `${clock} L * *` },
    { type: 'CRON', cron: `${clock} * 1-6 1` },
    { type: 'RRULE', rrule: `FREQ=WEEKLY;BYDAY=MO,WE,FR;${at}` },
    { type: 'RRULE', rrule: `FREQ=MONTHLY;BYDAY=-1FR;${at}` },
  ];
  return patterns[index % 8 === 3 && index % 16 > 8 ? 8 : index % 8] ?? { type: 'CRON', cron: `${clock} * * *` };
}
