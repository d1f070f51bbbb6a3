import { Agent } from 'undici';

/** As many as the product holds to one destination. */
export const CONNECTIONS = 160;

/** Of the length of the product's, so that both ends carry the same. */
const HEADERS = {
  'user-agent': 'scheduler-domain',
  'webhook-id': '06h1kfmkj400000006h1kflbippbv3v97opj5kjbn4',
  'webhook-timestamp': '1795737600',
  'idempotency-key': '06h1kfmkj400000006h1kflbippbv3v97opj5kjbn4',
  'x-scheduler-schedule-id': '01a21a3e-c51a-71a4-9589-2b7f9dc34a60',
  'x-scheduler-run-id': '06h1kfmkj400000006h1kflbippbv3v97opj5kjbn4',
  'x-scheduler-attempt': '1',
  'x-scheduler-scheduled-for': '2026-11-27T00:00:00.000Z',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
};

/** POSTs without a body to one address, with the product's HTTP client as the product sets it up, and nothing else of ours. */
export function webhookClient(url: string): { post(): Promise<void>; close(): Promise<void> } {
  const { origin, pathname: path } = new URL(url);
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  return {
    async post() {
      const { statusCode, body } = await agent.request({ origin, path, method: 'POST', headers: HEADERS });
      await body.dump();
      if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`);
    },
    close: () => agent.close(),
  };
}
