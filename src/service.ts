import { loadCommands } from './commands.ts';
import { compose } from './compose.ts';
import { ConfigError, readConfig } from './config.ts';
import { greeting } from './greeting.ts';

/** The process: reads the configuration, composes, starts, waits for SIGTERM. A second signal skips the drain. Never rejects. */
export async function runService(): Promise<void> {
  try {
    await serve();
  } catch (error) {
    console.error(
      error instanceof ConfigError
        ? error.message
        : `the service failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  }
}

async function serve(): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      stopped.resolve();
    });
  }
  const config = readConfig();
  await using scheduler = await compose(config, await loadCommands(config.COMMANDS_MODULE));
  const address = await scheduler.start();
  if (address !== null && scheduler.issuer !== null) console.log(await greeting(address, scheduler.issuer));
  scheduler.journal.note('started', { roles: config.ROLES.join(','), ...(address !== null && { address }) });
  await stopped.promise;
}
