import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDevIssuer } from '../../../src/infra/security/dev-tokens.ts';
import { createLocalTokenVerifier } from '../../../src/infra/security/token-verifier.ts';

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'scheduler-dev-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('what it signs is what the local verifier reads', async () => {
  const issuer = await openDevIssuer(await aDirectory());
  const verifier = createLocalTokenVerifier({ jwks: issuer.jwks, issuer: issuer.issuer });
  const token = await issuer.sign({ tenant: 'demo', roles: ['admin'], subject: 'me', expiresIn: 60 });
  expect(await verifier.verify(token)).toEqual({
    subject: 'me',
    tenants: ['demo'],
    roles: ['admin'],
    organizationId: null,
  });
});

test('the key outlives a restart, and only its owner may read it', async () => {
  const directory = await aDirectory();
  const before = await openDevIssuer(join(directory, 'data'));
  const after = await openDevIssuer(join(directory, 'data'));
  expect(after.jwks).toEqual(before.jwks);
  expect(await readdir(join(directory, 'data'))).toEqual(['token-key.json']);
  expect((await stat(join(directory, 'data', 'token-key.json'))).mode & 0o777).toBe(0o600);
});

test('processes that start at once agree on one key', async () => {
  const directory = await aDirectory();
  const issuers = await Promise.all(Array.from({ length: 8 }, () => openDevIssuer(directory)));
  expect(new Set(issuers.map((issuer) => JSON.stringify(issuer.jwks))).size).toBe(1);
  expect(await readdir(directory)).toEqual(['token-key.json']);
});

test('the key set it shows is public', async () => {
  const directory = await aDirectory();
  const { jwks } = await openDevIssuer(directory);
  const { d }: { d: string } = JSON.parse(await readFile(join(directory, 'token-key.json'), 'utf8'));
  expect(JSON.stringify(jwks)).not.toContain(d);
  expect(jwks.keys).toEqual([
    expect.objectContaining({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: expect.any(String) }),
  ]);
});

test("a token that ended is refused, and so is another issuer's", async () => {
  const [ours, theirs] = await Promise.all([openDevIssuer(await aDirectory()), openDevIssuer(await aDirectory())]);
  const verifier = createLocalTokenVerifier({ jwks: ours.jwks, issuer: ours.issuer });
  await expect(verifier.verify(await ours.sign({ tenant: 'demo', roles: [], expiresIn: -60 }))).rejects.toThrow(
    'the token has expired',
  );
  await expect(verifier.verify(await theirs.sign({ tenant: 'demo', roles: [] }))).rejects.toThrow(
    'the token is not valid',
  );
});

test('a file that holds no key is left alone and named', async () => {
  const directory = await aDirectory();
  await writeFile(join(directory, 'token-key.json'), '{"kty":"EC"}');
  await expect(openDevIssuer(directory)).rejects.toThrow('token-key.json holds no token key');
  expect(await readFile(join(directory, 'token-key.json'), 'utf8')).toBe('{"kty":"EC"}');
});
