import type { DevIssuer } from './infra/security/dev-tokens.ts';

const TENANT = 'demo';
const VALID_FOR_SEC = 30 * 86_400;

/** What a developer sees after the first start: where everything is, a token, and a request to paste. */
export async function greeting(address: string, issuer: DevIssuer): Promise<string> {
  const token = await issuer.sign({ tenant: TENANT, roles: ['admin'], subject: 'developer', expiresIn: VALID_FOR_SEC });
  const schedule = {
    name: 'First schedule',
    trigger: { type: 'INTERVAL', every: '5s' },
    target: { kind: 'HTTP', http: { url: `${address}/echo/first` } },
    payload: { hello: 'world' },
  };
  return `
  Scheduler is running in EMBEDDED mode: its own PostgreSQL, its own tokens, loopback only. Not for production.

    API        ${address}
    API docs   ${address}/docs
    Received   ${address}/echo/requests   (what the built-in receiver got)

  A token for the tenant "${TENANT}", valid for 30 days (more: npm run token -- --tenant NAME --role editor):

    export TOKEN=${token}

  Create a schedule that fires every five seconds, then look at what arrived:

    curl -s ${address}/schedules -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
      -d '${JSON.stringify(schedule)}'
    curl -s ${address}/echo/requests
`;
}
