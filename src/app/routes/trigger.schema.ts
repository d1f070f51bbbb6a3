import { z } from 'zod';
import { whole } from './fields.ts';

const cron = z.strictObject({
  type: z.literal('CRON'),
  cron: z.string().meta({
    description:
      '5 fields, or 6 with seconds first, or a macro such as @hourly; names, L, W, #, ranges, steps and lists',
    examples: ['0 9 * * *'],
  }),
});

const rrule = z.strictObject({
  type: z.literal('RRULE'),
  rrule: z.string().meta({
    description: 'RFC 5545 rule, or a block of DTSTART, RRULE, EXDATE and RDATE lines',
    examples: ['FREQ=WEEKLY;BYDAY=MO;BYHOUR=9'],
  }),
  dtstart: z.string().optional().meta({
    description: 'Where the rule starts: local to tz, or an instant. Default: local midnight of the day of creation',
  }),
  exdates: z.array(z.string()).readonly().optional().meta({ description: 'Times at which the rule does not fire' }),
  rdates: z.array(z.string()).readonly().optional().meta({ description: 'Times at which it fires besides' }),
});

const interval = z.strictObject({
  type: z.literal('INTERVAL'),
  every: z
    .string()
    .optional()
    .meta({ description: 'PT6H, or the short forms 15m, 2h, 1d', examples: ['PT6H'] }),
  anchor: z.string().optional().meta({ description: 'Where the grid starts. Default: the second of creation' }),
  repeat: whole(1, 2_147_483_647).optional().meta({ description: 'How often it fires in total' }),
  iso8601: z
    .string()
    .optional()
    .meta({ description: 'Instead of the others: R[n]/start/duration', examples: ['R10/2026-01-01T00:00:00Z/PT6H'] }),
});

const fixedDelay = z.strictObject({
  type: z.literal('FIXED_DELAY'),
  delaySec: whole(1, 2_147_483_647).meta({ description: 'From the end of a run to the next', examples: [300] }),
});

const oneShot = z.strictObject({
  type: z.literal('ONE_SHOT'),
  startAt: z.string().meta({ description: 'An instant, or a local time of tz', examples: ['2030-01-01T09:00:00Z'] }),
});

/** When a schedule fires: its form. What the texts mean is read by the domain, which answers INVALID_TRIGGER. */
export const trigger = z
  .discriminatedUnion('type', [cron, rrule, interval, fixedDelay, oneShot], {
    error: 'must be an object whose type is CRON, RRULE, INTERVAL, FIXED_DELAY or ONE_SHOT',
  })
  .meta({ id: 'Trigger' });

/** The types of trigger there are. */
export const triggerType = z.enum(['CRON', 'RRULE', 'INTERVAL', 'FIXED_DELAY', 'ONE_SHOT']);
