import { secretNamesIn } from '../entities/secret.ts';
import type { Target } from '../entities/target.ts';
import { DomainError } from '../errors.ts';
import type { SecretRepository } from '../ports/secret-repository.ts';

/** The secrets that a target names stay where they are until the transaction ends. Throws UNKNOWN_SECRET where one does not exist. */
export async function checkSecrets(secrets: SecretRepository, target: Target): Promise<void> {
  if (target.kind !== 'HTTP') return;
  const named = Object.entries(target.http.headers).flatMap(([header, value]) =>
    (secretNamesIn(value) ?? []).map((name) => ({ header, name })),
  );
  if (named.length === 0) return;
  const known = await secrets.known([...new Set(named.map(({ name }) => name))]);
  const problems = named
    .filter(({ name }) => !known.has(name))
    .map(({ header, name }) => ({ path: `target.http.headers.${header}`, message: `there is no secret "${name}"` }));
  const [first] = problems;
  if (first !== undefined) throw new DomainError('UNKNOWN_SECRET', first.message, problems);
}
