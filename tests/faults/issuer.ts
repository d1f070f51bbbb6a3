import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Signs tokens that services with its `jwksUrl` accept. */
export interface Issuer extends AsyncDisposable {
  readonly jwksUrl: string;
  /** Of an administrator of that tenant. */
  readonly token: string;
}

export async function startIssuer(tenantId: string): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'faults', alg: 'ES256', use: 'sig' }] });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(keys);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const token = await new SignJWT({ tenant_id: tenantId, roles: ['admin'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'faults' })
    .setSubject('faults')
    .setIssuedAt()
    .setExpirationTime('6h')
    .sign(privateKey);
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    token,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
