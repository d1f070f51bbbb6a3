import { z } from 'zod';
import type { RunKey } from '../../domain/ids.ts';
import { asScheduleId } from '../../domain/ids.ts';
import { instant } from './fields.ts';
import { cursorFields, listShown } from './paging.ts';
import { query } from './request-parts.ts';
import { runCause, runShown, runState } from './run-shown.ts';

export const scheduleId = z.string().transform((text, context) => {
  const id = asScheduleId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'must be the id of a schedule' });
  return z.NEVER;
});

const filters = {
  cause: runCause.optional(),
  from: instant.optional().meta({ description: 'Of the slot, inclusive' }),
  to: instant.optional().meta({ description: 'Of the slot, exclusive' }),
};

/** `GET /schedules/{id}/runs`. */
export const scheduleRunsQuery = query({ ...cursorFields, state: runState.optional(), ...filters });

/** `GET /runs`. */
export const runsQuery = query({
  ...cursorFields,
  state: runState.optional(),
  scheduleId: scheduleId.optional(),
  ...filters,
});

/** `GET /dead-letters`. */
export const deadLettersQuery = query({ ...cursorFields, scheduleId: scheduleId.optional(), ...filters });

export const runPage = listShown(runShown).meta({ id: 'RunPage' });

/** Where a page ended: what comes after it is the next page. */
export const runPosition: z.ZodType<RunKey> = z.object({ scheduleId, slot: z.number(), space: z.number() });
