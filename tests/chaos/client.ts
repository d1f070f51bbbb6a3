import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Clocks of nodes jump by two days either way: tokens must be valid all the same. */
const A_MONTH_SEC = 30 * 24 * 3600;
const PATIENCE_MS = 8_000;

/** An issuer of tokens whose keys the nodes fetch. */
export interface Issuer extends AsyncDisposable {
  readonly jwksUrl: string;
  tokenFor(tenant: string): Promise<string>;
}

export async function openIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'chaos', alg: 'ES256', use: 'sig' }] });
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(jwks));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuedAt = Math.floor(Date.now() / 1000) - A_MONTH_SEC;
  const tokens = new Map<string, Promise<string>>();
  const sign = (tenant: string): Promise<string> =>
    new SignJWT({ tenant_id: tenant, roles: ['editor'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'chaos' })
      .setSubject('chaos')
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 2 * A_MONTH_SEC)
      .sign(privateKey);
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    tokenFor: (tenant) => {
      const token = tokens.get(tenant) ?? sign(tenant);
      tokens.set(tenant, token);
      return token;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `unknown`: no answer tells whether it was done. A 5xx may follow a commit whose answer was lost, so it is unknown too. */
export interface Reply {
  readonly outcome: 'ok' | 'refused' | 'unknown';
  readonly status: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly tenant: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

/** Sends a request to a node and says how sure its outcome is. */
export async function callApi(baseUrl: string, issuer: Issuer, request: ApiRequest): Promise<Reply> {
  const headers = {
    authorization: `Bearer ${await issuer.tokenFor(request.tenant)}`,
    ...(request.body !== undefined && { 'content-type': 'application/json' }),
    ...(request.idempotencyKey !== undefined && { 'idempotency-key': request.idempotencyKey }),
  };
  try {
    const response = await fetch(baseUrl + request.path, {
      method: request.method,
      headers,
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    });
    const text = await response.text();
    const body: unknown = text === '' ? {} : JSON.parse(text);
    const outcome = response.ok ? 'ok' : response.status >= 500 ? 'unknown' : 'refused';
    return { outcome, status: response.status, body: typeof body === 'object' && body !== null ? { ...body } : {} };
  } catch (error) {
    const wasRefused = error instanceof Error && causeOf(error) === 'ECONNREFUSED';
    return { outcome: wasRefused ? 'refused' : 'unknown', status: null, body: {} };
  }
}

function causeOf(error: Error): unknown {
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
