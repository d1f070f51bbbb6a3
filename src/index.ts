import { readConfig } from './config.ts';
import type { CommandFunction } from './infra/messaging/command-sender.ts';
import { quickly } from './quick-imports.ts';
import type { Scheduler } from './scheduler.ts';

/** What a program that embeds the scheduler gives: its COMMAND functions, and variables that differ from the environment's. */
export interface SchedulerOptions {
  readonly commands?: Readonly<Record<string, CommandFunction>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * The scheduling service inside another program. `start()` begins to fire and, for the api role, to listen; disposing it
 * drains. Throws ConfigError, or what the database says.
 */
export async function createScheduler(options: SchedulerOptions = {}): Promise<Scheduler> {
  const { compose } = await quickly(() => import('./compose.ts'));
  return compose(readConfig(options.environment), new Map(Object.entries(options.commands ?? {})));
}

export type { Caller } from './domain/entities/caller.ts';
export type { RunRow } from './domain/entities/run.ts';
export type { ScheduleInput, ScheduleState } from './domain/entities/schedule.ts';
export { DomainError } from './domain/errors.ts';
export type { CommandContext, CommandFunction } from './infra/messaging/command-sender.ts';
export type { Scheduler } from './scheduler.ts';
