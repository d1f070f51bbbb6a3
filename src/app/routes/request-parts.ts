import { z } from 'zod';
import { asScheduleId, decodeRunId } from '../../domain/ids.ts';
import { failsAs } from '../middleware/field-problems.ts';

export const tenantId = z.string().optional().meta({ description: "Must be the request's tenant" });

/** A query string with these fields and no other. */
export function query<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape & { readonly tenantId: typeof tenantId }, z.core.$strict> {
  return z.strictObject({ ...shape, tenantId });
}

/** The query string of operations that take none. */
export const noQuery = query({});

/** The path of one schedule; what cannot be an id is a schedule that does not exist. */
export const scheduleParams = z.strictObject({
  id: z
    .string()
    .meta({ format: 'uuid', examples: ['0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55'] })
    .transform((text, context) => asScheduleId(text) ?? missing(context, 'no such schedule')),
});

/** The path of one run; what cannot be an id is a run that does not exist. */
export const runParams = z.strictObject({
  id: z
    .string()
    .meta({ examples: ['06ejgp3hg000000006ccbcjq65u4978e5tlok71uak'] })
    .transform((text, context) => decodeRunId(text) ?? missing(context, 'no such run')),
});

/** `If-Match`; read by `expectedVersion`. */
export const ifMatchHeaders = z.looseObject({
  'if-match': z
    .string()
    .optional()
    .meta({ description: 'The version the change is based on: "3", or *', examples: ['"1"'] }),
});

/** `Idempotency-Key`; read by `readIdempotencyKey`. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .optional()
    .meta({
      description: 'Repeating the request within 24 hours answers the same schedule',
      examples: ['c2a3b6d0-daily-report'],
    }),
});

function missing(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message, params: failsAs('NOT_FOUND') });
  return z.NEVER;
}

/** The body of an action, named `id` in the API's description; it may be left out altogether. */
export function optionalBody<Shape extends z.core.$ZodLooseShape>(id: string, shape: Shape): OptionalBody<Shape> {
  const body = z.strictObject({ ...shape, tenantId }).meta({ id, 'x-optional': true });
  return z.preprocess((value) => value ?? {}, body);
}

type OptionalBody<Shape extends z.core.$ZodLooseShape> = z.ZodPreprocess<
  z.ZodObject<Shape & { readonly tenantId: typeof tenantId }, z.core.$strict>
>;

/** The body of actions that take none. */
export const noBody = optionalBody('NoBody', {});
