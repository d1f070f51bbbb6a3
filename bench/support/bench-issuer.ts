import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Whom the service trusts in a benchmark: where its keys are, and a token of the tenant `bench`. */
export interface BenchIssuer extends Disposable {
  readonly jwksUrl: string;
  readonly token: string;
}

/** An issuer with one key on loopback; an editor's token that outlives the benchmark. */
export async function openBenchIssuer(): Promise<BenchIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256' }] });
  const server = createServer((_request, response) => response.end(jwks)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const token = await new SignJWT({ tenant_id: 'bench', roles: ['editor'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setSubject('bench')
    .setExpirationTime('2h')
    .sign(privateKey);
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
