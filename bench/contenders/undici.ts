import { contend } from '../support/contend.ts';
import { CONNECTIONS, webhookClient } from '../support/webhook-client.ts';

/* The HTTP client by itself: as many POSTs at once as there are connections, nothing stored. */

const jobs = Number(process.env['BENCH_JOBS']);
const client = webhookClient(process.env['BENCH_WEBHOOK_URL'] ?? '');

contend({
  prepare: () => Promise.resolve({}),
  async round() {
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (sent < jobs) {
        sent += 1;
        await client.post();
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, sender));
    return sent;
  },
  rest: () => Promise.resolve({}),
  close: () => client.close(),
});
