import { z } from 'zod';
import { CALENDAR_NAME, MOST_NAMED } from '../../domain/entities/calendar.ts';
import type { Caller } from '../../domain/entities/caller.ts';
import type { ScheduleDefinition } from '../../domain/entities/definition.ts';
import type { ScheduleInput, ScheduleScope } from '../../domain/entities/schedule.ts';
import { filledRetry, SERVICE_DEFAULTS } from '../../domain/entities/tenant-policy.ts';
import { DomainError } from '../../domain/errors.ts';
import { SYSTEM_TENANT } from '../../domain/ids.ts';
import { parsedBy } from '../middleware/field-problems.ts';
import { jitter, json, line, matching, moment, text, whole, zone } from './fields.ts';
import { target } from './target.schema.ts';
import { trigger } from './trigger.schema.ts';

const MAX_LABELS = 32;
const DAY_SEC = 86_400;

/** A schedule's own name for itself, unique per tenant. */
export const scheduleKey = matching(/^[A-Za-z0-9._:/-]{1,200}$/, '1 to 200 letters, digits, ., _, :, / or -').meta({
  examples: ['reports:daily'],
});

const labelKey = line(100).refine((key) => !key.includes(':'), { error: 'must not hold a colon' });
const labels = z
  .record(labelKey, line(200, 0))
  .refine((given) => Object.keys(given).length <= MAX_LABELS, { error: `must be at most ${MAX_LABELS} labels` })
  .meta({ maxProperties: MAX_LABELS, examples: [{ team: 'billing' }] });

export const overlapPolicy = z.enum(['SKIP', 'BUFFER_ONE', 'BUFFER_ALL', 'CANCEL_OTHER', 'ALLOW_ALL']);
export const scope = z.enum(['SYSTEM', 'TENANT', 'ORGANIZATION']);
export const misfirePolicy = z.enum(['SKIP', 'FIRE_ONCE', 'FIRE_ALL']);
export const onExcluded = z.enum(['SKIP', 'FOLLOWING', 'PRECEDING', 'MODIFIED_FOLLOWING']);
export const onCompletion = z.enum(['KEEP', 'DELETE']);

export const dst = z.strictObject({
  gap: z.enum(['NEXT_VALID', 'SHIFT', 'SKIP']).optional(),
  fold: z.enum(['FIRST', 'SECOND', 'BOTH']).optional(),
});

/** Names of calendars, and what becomes of slots on their dates. */
const calendarPolicy = z
  .strictObject({
    exclude: z
      .array(matching(CALENDAR_NAME, '1 to 100 letters, digits, ., _ or -'))
      .min(1)
      .max(MOST_NAMED)
      .refine((names) => new Set(names).size === names.length, { error: 'must name each calendar once' })
      .readonly()
      .meta({
        description: 'Names of calendars; a slot on one of their dates, local to tz, is excluded',
        examples: [['de-holidays']],
      }),
    onExcluded: onExcluded.default('SKIP').meta({
      description:
        'SKIP: no run. Else the run is due at the same local time on the following or preceding date that is not excluded; MODIFIED_FOLLOWING follows within the month, else precedes',
    }),
  })
  .meta({ id: 'CalendarPolicy' });

const misfire = z.strictObject({
  policy: misfirePolicy.default('FIRE_ONCE'),
  thresholdSec: whole(1, DAY_SEC).default(60),
  windowSec: whole(1, 31 * DAY_SEC).default(DAY_SEC),
});

/** What is left out is the tenant's default, then 8 attempts, 5 s × 3 up to an hour, within a day. */
export const retry = z.strictObject({
  maxAttempts: whole(1, 100).optional().meta({ description: 'Counts the first try' }),
  initialDelaySec: whole(0, DAY_SEC).optional(),
  backoffCoefficient: z.number().min(1).max(10).optional(),
  maxDelaySec: whole(0, 7 * DAY_SEC).optional(),
  jitter: z.number().min(0).max(1).optional().meta({ description: 'The share of a delay that chance may take away' }),
  maxAgeSec: whole(1, 31 * DAY_SEC).optional(),
});

/** The part of a schedule that decides its slots: all a preview needs. */
export const slotFields = {
  tz: zone.optional(),
  trigger,
  dst: dst.default({}),
  calendars: calendarPolicy.nullable().default(null),
  jitter: jitter.nullable().default(null),
  startAt: moment.nullable().default(null),
  endAt: moment.nullable().default(null),
};

const slotPart = z.strictObject(slotFields);

type GivenSlots = z.output<typeof slotPart>;

const definitionFields = {
  ...slotFields,
  target,
  payload: json
    .default(null)
    .meta({ description: 'Any JSON up to the tenant’s payloadBytes', examples: [{ report: 'daily' }] }),
  maxFires: whole(1, 2_147_483_647).nullable().default(null),
  overlapPolicy: overlapPolicy.default('SKIP'),
  misfire: misfire.prefault({}),
  retry: retry.default({}),
  timeoutSec: whole(1, 900).default(30).meta({ description: 'Per attempt' }),
  pauseOnFailures: whole(1, 1000)
    .nullable()
    .default(null)
    .meta({ description: 'DISABLED after so many dead runs in a row' }),
  onCompletion: onCompletion.default('KEEP'),
};

const definition = z.strictObject(definitionFields);

/** The body that makes or replaces a schedule; becomes the domain's input, defaults filled in. */
export const scheduleBody = z
  .strictObject({
    tenantId: z
      .string()
      .optional()
      .meta({ description: "Must be the request's tenant", examples: ['tenant-123'] }),
    name: line(200).meta({ examples: ['Daily Report'] }),
    key: scheduleKey.nullable().default(null),
    description: text(2000).nullable().default(null),
    labels: labels.default({}),
    scope: scope
      .optional()
      .meta({ description: 'Default: ORGANIZATION with an organizationId or a token of an organization, else TENANT' }),
    organizationId: line(200).nullable().default(null),
    enabled: z
      .boolean()
      .optional()
      .meta({ description: 'Left out: a create begins active, a replace keeps the state' }),
    ...definitionFields,
  })
  .transform(({ tenantId, ...given }) => given)
  .meta({ id: 'ScheduleBody' });

/** A request's schedule, defaults filled in but for its scope, which depends on who asks. */
export type GivenSchedule = z.output<typeof scheduleBody>;

/** The input behind a request's JSON. Throws VALIDATION_FAILED or PAYLOAD_TOO_LARGE with every place that is wrong. */
export function parseScheduleInput(caller: Caller, body: unknown): ScheduleInput {
  return inputOf(caller, parsedBy(scheduleBody, body));
}

/** The schedule in the scope it has unless it says another: the token's organization, the system's tenant, else its tenant. */
export function inputOf(caller: Caller, given: GivenSchedule): ScheduleInput {
  const chosen = given.scope ?? defaultScope(caller, given.organizationId);
  const organizationId = given.organizationId ?? (chosen === 'ORGANIZATION' ? caller.organizationId : null);
  return { ...given, ...filled(caller, given), excluded: null, scope: chosen, organizationId };
}

/** What a request may leave out, from the tenant's defaults. */
function filled(
  { policy }: Pick<Caller, 'policy'>,
  { tz, retry: given = {} }: { readonly tz?: string | undefined; readonly retry?: z.output<typeof retry> },
): Pick<ScheduleInput, 'tz' | 'retry'> {
  const defaults = policy?.defaults ?? SERVICE_DEFAULTS;
  return { tz: tz ?? defaults.tz, retry: filledRetry(given, defaults.retry) };
}

/** The schedule with the key of its path. Throws VALIDATION_FAILED where the body names another. */
export function withKey(given: GivenSchedule, key: string): GivenSchedule {
  if (given.key === null || given.key === key) return { ...given, key };
  const message = 'must be the key in the path';
  throw new DomainError('VALIDATION_FAILED', `key ${message}`, [{ path: 'key', message }]);
}

/** A definition with these slots and the defaults for all else: what a preview computes with. */
export function previewDefinition(caller: Caller, slots: GivenSlots): ScheduleDefinition {
  const filler = {
    trigger: { type: 'FIXED_DELAY', delaySec: 1 },
    target: { kind: 'COMMAND', command: { name: 'preview' } },
  };
  return { ...parsedBy(definition, filler), ...slots, ...filled(caller, slots), excluded: null };
}

function defaultScope(caller: Caller, organizationId: string | null): ScheduleScope {
  if (organizationId !== null || caller.organizationId !== null) return 'ORGANIZATION';
  return caller.tenantId === SYSTEM_TENANT ? 'SYSTEM' : 'TENANT';
}
