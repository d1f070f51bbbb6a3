import { DomainError } from '../../../../src/domain/errors.ts';
import {
  type CompiledTrigger,
  compileTrigger,
  nextSlot,
  normaliseTrigger,
} from '../../../../src/domain/time/compile.ts';
import type { DstPolicy, Trigger } from '../../../../src/domain/time/trigger.ts';
import { localTime } from '../../../../src/domain/time/zone.ts';

/** TIME_TESTS=20 runs twenty times as many random cases. */
const FACTOR = Number(process.env['TIME_TESTS'] ?? 1);

export function cases(count: number): number {
  return Math.ceil(count * FACTOR);
}

export const NOON_2026 = Date.UTC(2026, 0, 1, 12);

export function compiled(trigger: Trigger, tz = 'UTC', dst?: DstPolicy): CompiledTrigger {
  return compileTrigger(normaliseTrigger(trigger, tz, NOON_2026), { tz, dst });
}

export function cron(text: string, tz = 'UTC', dst?: DstPolicy): CompiledTrigger {
  return compileTrigger({ type: 'CRON', cron: text }, { tz, dst });
}

/** The first `count` slots after an instant, fewer when they end. */
export function slotsAfter(trigger: CompiledTrigger, after: number, count: number): number[] {
  const slots: number[] = [];
  for (let at = nextSlot(trigger, after); at !== null && slots.length < count; at = nextSlot(trigger, at))
    slots.push(at);
  return slots;
}

/** The same as local times. */
export function localSlots(trigger: CompiledTrigger, tz: string, after: string, count: number): string[] {
  return slotsAfter(trigger, Date.parse(after), count).map((at) => localTime(at, tz));
}

/** What a caller is told about an unreadable trigger: `path message`. */
export function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'INVALID_TRIGGER') throw error;
    return error.problems.map((problem) => `${problem.path} ${problem.message}`).join('\n');
  }
  return 'accepted';
}

/** Every zone the runtime lists, and the ones with the strangest clocks. */
export const STRANGE_ZONES: readonly string[] = [
  'Europe/Berlin',
  'America/New_York',
  'America/Havana',
  'America/St_Johns',
  'America/Caracas',
  'America/Scoresbysund',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Gaza',
  'Asia/Amman',
  'Asia/Dhaka',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Australia/Lord_Howe',
  'Australia/Adelaide',
  'Antarctica/Troll',
  'Antarctica/Vostok',
  'Antarctica/Casey',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Norfolk',
  'Pacific/Kwajalein',
  'Pacific/Fakaofo',
  'Pacific/Enderbury',
];
