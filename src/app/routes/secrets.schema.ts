import { z } from 'zod';
import { LONGEST_SECRET, SECRET_NAME, type SecretState, SHORTEST_SECRET } from '../../domain/entities/secret.ts';
import { failsAs } from '../middleware/field-problems.ts';
import { instantShown } from './fields.ts';
import { cursorFields, listShown } from './paging.ts';
import { query, tenantId } from './request-parts.ts';

/** What a header value can hold, without the blanks at its ends, which HTTP takes away. */
const VALUE = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;

const value = z
  .string()
  .refine((given) => given.length >= SHORTEST_SECRET, { error: `must be at least ${SHORTEST_SECRET} characters long` })
  .refine((given) => given.length <= LONGEST_SECRET, { error: `must be at most ${LONGEST_SECRET} characters long` })
  .refine((given) => VALUE.test(given), {
    error: 'must be one line of what an HTTP header can hold, without blanks at its ends',
  })
  .meta({ minLength: SHORTEST_SECRET, maxLength: LONGEST_SECRET, writeOnly: true });

export const secretBody = z.strictObject({ value, tenantId }).meta({ id: 'SecretBody' });

/** The path of one secret; what cannot be a name is a secret that does not exist. */
export const secretParams = z.strictObject({
  name: z
    .string()
    .meta({ examples: ['REPORTS_TOKEN'] })
    .transform((given, context) => {
      if (SECRET_NAME.test(given)) return given;
      context.addIssue({ code: 'custom', message: 'no such secret', params: failsAs('NOT_FOUND') });
      return z.NEVER;
    }),
});

/** As `secretParams`, where the name may be a new one. */
export const newSecretParams = z.strictObject({
  name: z
    .string()
    .regex(SECRET_NAME, { error: 'must be a letter and at most 99 letters, digits, _, . or -' })
    .meta({ examples: ['REPORTS_TOKEN'] }),
});

export const secretQuery = query(cursorFields);

/** The last name of a page. */
export const secretPosition = z.string();

export const secretShown = z
  .object({
    name: z.string(),
    tenantId: z.string(),
    keyId: z.string().meta({ description: 'Of the key that seals the value' }),
    version: z.int().meta({ description: 'Grows with every new value; the ETag' }),
    createdAt: instantShown,
    updatedAt: instantShown,
    createdBy: z.string(),
    updatedBy: z.string(),
  })
  .meta({ id: 'Secret' });

export const secretPage = listShown(secretShown).meta({ id: 'SecretPage' });

/** What an answer says of a secret. */
export function showSecret({ sealed, ...shown }: SecretState): z.output<typeof secretShown> {
  return shown;
}
