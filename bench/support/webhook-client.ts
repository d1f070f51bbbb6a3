import { Agent } from 'undici';

/** As many as the product holds to one destination. */
export const CONNECTIONS = 128;

/** POSTs without a body to one address, with the product's HTTP client as the product sets it up, and nothing else of ours. */
export function webhookClient(url: string): { post(): Promise<void>; close(): Promise<void> } {
  const { origin, pathname: path } = new URL(url);
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  return {
    async post() {
      const { statusCode, body } = await agent.request({ origin, path, method: 'POST' });
      await body.dump();
      if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`);
    },
    close: () => agent.close(),
  };
}
