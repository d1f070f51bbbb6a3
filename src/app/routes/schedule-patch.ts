import { z } from 'zod';
import type { Caller } from '../../domain/entities/caller.ts';
import type { ScheduleInput } from '../../domain/entities/schedule.ts';
import { MASK } from '../../domain/entities/secret.ts';
import { json } from './fields.ts';
import { misfirePolicy, onCompletion, onExcluded, overlapPolicy, parseScheduleInput, scope } from './schedule-input.ts';
import { targetKind } from './target.schema.ts';
import { triggerType } from './trigger.schema.ts';

const string = z.string().nullable().optional();
const number = z.number().nullable().optional();
const strings = z.array(z.string()).nullable().optional();
const map = z.record(z.string(), z.string().nullable()).nullable().optional();

function part<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodOptional<z.ZodNullable<z.ZodObject<Shape, z.core.$strict>>> {
  return z.strictObject(shape).nullable().optional();
}

const trigger = part({
  type: triggerType.optional(),
  cron: string,
  rrule: string,
  dtstart: string,
  exdates: strings,
  rdates: strings,
  every: string,
  anchor: string,
  repeat: number,
  iso8601: string,
  delaySec: number,
  startAt: string,
});

const target = part({
  kind: targetKind.optional(),
  http: part({ url: string, method: string, headers: map, body: json.optional() }),
  eventTopic: string,
  queue: part({
    topic: string,
    driver: string,
    options: part({ jobName: string, attempts: number, priority: number, ttlSec: number }),
  }),
  command: part({ name: string }),
});

/** A merge patch: which fields there are. What their values may be is decided once they are merged. */
export const schedulePatch = z
  .strictObject({
    tenantId: z.string().optional(),
    name: string,
    key: string,
    description: string,
    labels: map,
    scope: scope.nullable().optional(),
    organizationId: string,
    tz: string,
    trigger,
    target,
    payload: json.optional(),
    enabled: z.boolean().nullable().optional(),
    startAt: string,
    endAt: string,
    maxFires: number,
    jitter: string,
    dst: part({ gap: string, fold: string }),
    calendars: part({ exclude: strings, onExcluded: onExcluded.nullable().optional() }),
    overlapPolicy: overlapPolicy.nullable().optional(),
    misfire: part({ policy: misfirePolicy.nullable().optional(), thresholdSec: number, windowSec: number }),
    retry: part({
      maxAttempts: number,
      initialDelaySec: number,
      backoffCoefficient: number,
      maxDelaySec: number,
      jitter: number,
      maxAgeSec: number,
    }),
    timeoutSec: number,
    pauseOnFailures: number,
    onCompletion: onCompletion.nullable().optional(),
  })
  .meta({
    id: 'SchedulePatch',
    description:
      'JSON Merge Patch (RFC 7396): fields left out stay, null resets. A trigger of another type, or a target of another kind, replaces the old one whole.',
  });

export type SchedulePatch = z.output<typeof schedulePatch>;

/** The input that `current` becomes under the patch. Throws what `parseScheduleInput` throws. */
export function patchedInput(caller: Caller, current: ScheduleInput, patch: SchedulePatch): ScheduleInput {
  const { tenantId, trigger: newTrigger, target: newTarget, ...rest } = patch;
  const before = requestJson(current);
  const merged = mergePatch(before, rest);
  const parts = {
    ...(newTrigger !== undefined && { trigger: mergeUnion('type', before['trigger'], newTrigger) }),
    ...(newTarget !== undefined && { target: mergeUnion('kind', before['target'], withoutMasks(newTarget)) }),
  };
  return parseScheduleInput(caller, { ...asObject(merged), ...parts });
}

/** RFC 7396: the value that `target` becomes under `patch`. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(asObject(target)));
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** A union is merged within its variant; another variant takes nothing over. */
function mergeUnion(tag: string, before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return undefined;
  const variant = patch[tag];
  return mergePatch(variant === undefined || variant === asObject(before)[tag] ? before : {}, patch);
}

/** Header values sent back as they were shown mean "as it is". */
function withoutMasks(target: SchedulePatch['target']): SchedulePatch['target'] {
  const headers = target?.http?.headers;
  if (headers === undefined || headers === null) return target;
  const kept = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== MASK));
  return { ...target, http: { ...target?.http, headers: kept } };
}

/** The request body that would make this input. `enabled` is left out: unless the patch says it, a state stays. */
function requestJson(input: ScheduleInput): Readonly<Record<string, unknown>> {
  const { enabled, excluded, startAt, endAt, ...rest } = input;
  return { ...rest, startAt: startAt?.toISOString() ?? null, endAt: endAt?.toISOString() ?? null };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
