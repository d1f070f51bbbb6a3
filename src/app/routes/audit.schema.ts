import { z } from 'zod';
import type { AuditEntry } from '../../domain/entities/audit.ts';
import { instant, instantShown, json, line, matching } from './fields.ts';
import { cursorFields, listShown } from './paging.ts';
import { query } from './request-parts.ts';

const ACTION = /^[a-z-]{1,40}\.[a-z_]{1,40}$/;
const RESOURCE = /^([a-z-]{1,40})(?:\/([\x21-\x7e]{1,200}))?$/;

const resource = z
  .string()
  .meta({ description: 'A kind of thing, or one thing', examples: ['schedule', 'calendar/de-holidays'] })
  .transform((given, context) => {
    const [, kind, resourceId] = RESOURCE.exec(given) ?? [];
    if (kind !== undefined) return { kind, resourceId };
    context.addIssue({
      code: 'custom',
      message: 'must be a kind such as schedule, or a kind and an id: schedule/0198…',
    });
    return z.NEVER;
  });

export const auditQuery = query({
  subject: line(1000).optional().meta({ description: 'Who acted, as tokens name them' }),
  resource: resource.optional(),
  action: matching(ACTION, 'an action such as schedule.paused').optional(),
  from: instant.optional().meta({ description: 'Inclusive' }),
  to: instant.optional().meta({ description: 'Exclusive' }),
  ...cursorFields,
});

export const auditPosition = z.strictObject({ at: z.number(), id: z.string() });

const fields = z.record(z.string(), json).nullable();

const auditEntryShown = z
  .object({
    id: z.string(),
    at: instantShown,
    subject: z.string(),
    action: z.string().meta({ description: 'What was done to what kind of thing' }),
    resource: z.string().meta({ description: 'The kind and the id of the thing' }),
    before: fields.meta({ description: 'The fields that changed, as they were; null where there was nothing' }),
    after: fields.meta({ description: 'The same fields, as they are; null where nothing is left' }),
    traceId: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });

export const auditPage = listShown(auditEntryShown).meta({ id: 'AuditPage' });

/** What an answer says of an entry. */
export function showAuditEntry({ kind, resourceId, ...entry }: AuditEntry): z.output<typeof auditEntryShown> {
  return { ...entry, resource: `${kind}/${resourceId}` };
}
