import { z } from 'zod';
import type { ScheduleSort } from '../../domain/ports/schedule-repository.ts';
import { instant, instantShown, json, line, whole, wholeInQuery } from './fields.ts';
import { cursorFields, pagedListShown, pageFields } from './paging.ts';
import { optionalBody, query, tenantId } from './request-parts.ts';
import { scheduleKey, slotFields } from './schedule-input.ts';
import { scheduleShown, scheduleState } from './schedule-shown.ts';
import { targetKind } from './target.schema.ts';
import { triggerType } from './trigger.schema.ts';

const MAX_SLOTS = 1000;
const sorts = [
  'createdAt',
  '-createdAt',
  'name',
  '-name',
  'nextFireAt',
  '-nextFireAt',
] as const satisfies readonly ScheduleSort[];

export const missedChoice = z.enum(['SKIP', 'FIRE_ONCE', 'FIRE_ALL']);

const label = line(301)
  .transform((text, context) => {
    const colon = text.indexOf(':');
    if (colon > 0) return { key: text.slice(0, colon), value: text.slice(colon + 1) };
    context.addIssue({ code: 'custom', message: 'must be key:value' });
    return z.NEVER;
  })
  .optional()
  .meta({ description: 'key:value', examples: ['team:billing'] });

/** `GET /schedules`. */
export const listQuery = query({
  ...pageFields,
  ...cursorFields,
  state: scheduleState.optional(),
  label,
  q: line(200).optional().meta({ description: 'Part of the name or key, any case' }),
  targetKind: targetKind.optional(),
  triggerType: triggerType.optional(),
  dueBefore: instant.optional(),
  sort: z.enum(sorts).default('-createdAt'),
});

export const schedulePage = pagedListShown(scheduleShown).meta({ id: 'SchedulePage' });

/** The last item of a page: what comes after it is the next page. */
export const listPosition = z.object({ value: z.union([z.number(), z.string(), z.null()]), id: z.string() });

export const keyParams = z.strictObject({ key: scheduleKey });

export const pauseBody = optionalBody('PauseBody', {
  note: line(1000, 0)
    .nullable()
    .default(null)
    .meta({ examples: ['release freeze'] }),
  resumeAt: instant
    .transform((at) => new Date(at).toISOString())
    .nullable()
    .default(null),
});

export const resumeBody = optionalBody('ResumeBody', {
  missed: missedChoice.default('SKIP').meta({ description: 'What becomes of slots that passed meanwhile' }),
});

export const triggerBody = optionalBody('TriggerBody', {
  payload: json.optional().meta({ description: "Instead of the schedule's" }),
});

/** `GET /schedules/{id}/upcoming`. */
export const upcomingQuery = query({
  count: wholeInQuery(1, MAX_SLOTS).default(10),
  from: instant.optional().meta({ description: 'Exclusive; default now' }),
  to: instant.optional(),
});

/** `POST /schedules/preview`. */
export const previewBody = z
  .strictObject({ tenantId, ...slotFields, from: instant.optional(), count: whole(1, MAX_SLOTS).default(10) })
  .meta({ id: 'PreviewBody' });

export const upcomingShown = z
  .object({
    description: z.string(),
    slots: z
      .array(
        z.object({
          scheduledFor: instantShown,
          local: z.string(),
          dst: z.enum(['GAP', 'FOLD']).nullable().meta({ description: 'Where a clock change touched the slot' }),
          movedFrom: z.string().nullable().meta({
            description: 'The excluded date of the slot, where its calendar moves it from there; dueAt tells where to',
          }),
          dueAt: instantShown,
        }),
      )
      .readonly(),
    exhausted: z.boolean().meta({ description: 'The trigger has no slot after these' }),
  })
  .meta({ id: 'Upcoming' });
