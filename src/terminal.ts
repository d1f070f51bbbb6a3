import { Command, InvalidArgumentError } from 'commander';
import { openSeal } from './adapters.ts';
import { type Config, readConfig } from './config.ts';
import type { Role } from './domain/entities/caller.ts';
import { asTenantId, type TenantId } from './domain/ids.ts';
import { SigningKeyService } from './domain/services/signing-key-service.ts';
import { connectPool, openDatabase } from './infra/db/client.ts';
import { startEmbeddedPostgres } from './infra/db/embedded-postgres.ts';
import { EnginePool } from './infra/db/engine-pool.ts';
import { migrate } from './infra/db/migrate.ts';
import { newId } from './infra/db/new-id.ts';
import { DrizzleUnitOfWork } from './infra/repo/drizzle-unit-of-work.ts';
import { resealAll } from './infra/repo/reseal-secrets.ts';
import { openDevIssuer } from './infra/security/dev-tokens.ts';
import { newSigningKey } from './infra/security/signature.ts';

/* The terminal: what an operator does by hand. */

const DAY_SEC = 86_400;
/** What needs only the database asks for no issuer. */
const WITHOUT_TOKENS = { ROLES: 'engine' };
const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin', 'platform'];

const program = new Command('scheduler').description(
  'Operates the scheduling service; the environment configures it as it does the service.',
);

program
  .command('migrate')
  .description('bring the database to this build’s schema; safe to run from several places at once')
  .action(async () => {
    await withDatabase(readConfig(WITHOUT_TOKENS), migrate);
    console.log('the database is current');
  });

program
  .command('token')
  .description('print a development token (embedded mode)')
  .requiredOption('--tenant <id>', 'the tenant it speaks for', tenantOption)
  .option('--role <name>', `one of ${ROLES.join(', ')}`, roleOption, 'editor')
  .option('--subject <name>', 'who it speaks for', 'developer')
  .option('--days <number>', 'how long it is valid', Number, 30)
  .action(async (options: { tenant: TenantId; role: Role; subject: string; days: number }) => {
    const config = readConfig();
    if (!config.embedded || config.JWKS_URL !== undefined)
      throw new Error('tokens come from your issuer here (JWKS_URL); the service signs its own only in embedded mode');
    const issuer = await openDevIssuer(config.DATA_DIR);
    console.log(
      await issuer.sign({
        tenant: options.tenant,
        roles: [options.role],
        subject: options.subject,
        expiresIn: options.days * DAY_SEC,
      }),
    );
  });

program
  .command('signing-key')
  .description('give a tenant a new webhook signing key and print it once; the one before stays valid beside it')
  .requiredOption('--tenant <id>', 'whose deliveries it signs', tenantOption)
  .action(async (options: { tenant: TenantId }) => {
    const config = readConfig(WITHOUT_TOKENS);
    const seal = await openSeal(config);
    if (seal === null)
      throw new Error('SECRETS_KEY is not set: signing keys are stored sealed (openssl rand -base64 32)');
    await withDatabase(config, async (url) => {
      await using closing = new AsyncDisposableStack();
      const pool = connectPool(url, { role: 'scheduler_api', max: 1, applicationName: 'scheduler-cli' });
      closing.defer(() => pool.end());
      const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool), config.POSTGRES_DEADLINE_MS);
      const signingKeys = new SigningKeyService({ unitOfWork, seal, newId, newKey: newSigningKey });
      const made = await signingKeys.rotate({ tenantId: options.tenant, subject: 'cli', organizationId: null });
      console.log(made.key);
    });
  });

program
  .command('reseal')
  .description('seal all secrets with the first key of SECRETS_KEY, so that the others may go')
  .action(async () => {
    const config = readConfig(WITHOUT_TOKENS);
    const seal = await openSeal(config);
    if (seal === null) throw new Error('SECRETS_KEY is not set: there is no key to seal with');
    await withDatabase(config, async (url) => {
      await using pool = new EnginePool(
        () => connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'scheduler-cli' }),
        config.POSTGRES_DEADLINE_MS,
      );
      const all = Object.entries(await resealAll(pool, seal));
      for (const [kind, { resealed, unopened }] of all)
        console.log(`${kind}: ${resealed} sealed again, ${unopened} not to be opened`);
      const unopened = all.reduce((sum, [, of]) => sum + of.unopened, 0);
      if (unopened > 0) throw new Error(`${unopened} were sealed with a key that SECRETS_KEY does not hold`);
    });
  });

/** Does what the arguments of the process ask for. Never rejects. */
export async function runCommand(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** With the database of the configuration: the given one, or the embedded server, started for as long as `work` takes. */
async function withDatabase(config: Config, work: (url: string) => Promise<void>): Promise<void> {
  if (config.POSTGRES_URL !== undefined) return work(config.POSTGRES_URL);
  const embedded = await startEmbeddedPostgres({ dataDir: config.DATA_DIR });
  try {
    await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}

function tenantOption(text: string): TenantId {
  const tenant = asTenantId(text);
  if (tenant === null)
    throw new InvalidArgumentError('letters, digits, ".", "_" and "-", at most 100, the first a letter or digit');
  return tenant;
}

function roleOption(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role === undefined) throw new InvalidArgumentError(`one of ${ROLES.join(', ')}`);
  return role;
}
