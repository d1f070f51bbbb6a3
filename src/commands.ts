import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CommandFunction } from './infra/messaging/command-sender.ts';

/** The functions that an ES module exports, by name: the COMMAND targets of a plain service. No module, no commands. */
export async function loadCommands(path: string | undefined): Promise<ReadonlyMap<string, CommandFunction>> {
  if (path === undefined) return new Map();
  const exported: Record<string, unknown> = await import(pathToFileURL(resolve(path)).href);
  const commands = Object.entries(exported).filter(
    (entry): entry is [string, CommandFunction] => typeof entry[1] === 'function',
  );
  if (commands.length === 0) throw new Error(`COMMANDS_MODULE ${path} exports no functions`);
  return new Map(commands);
}
