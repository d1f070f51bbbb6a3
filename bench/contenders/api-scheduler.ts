import { createScheduler } from '../../src/index.ts';

/* The product with the api role alone, on the port and the database it is told. */

const url = process.env['BENCH_POSTGRES_URL'] ?? '';
const environment = {
  POSTGRES_URL: url,
  JWKS_URL: process.env['BENCH_JWKS_URL'],
  PORT: process.env['BENCH_PORT'],
  HOST: '127.0.0.1',
  ROLES: 'api',
  LOG_LEVEL: 'warn',
};
const scheduler = await createScheduler({ environment });
await scheduler.start();
process.on('message', () => {
  void scheduler[Symbol.asyncDispose]().then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
process.send?.('up');
