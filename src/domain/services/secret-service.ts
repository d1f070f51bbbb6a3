import type { Caller } from '../entities/caller.ts';
import { MOST_SECRETS, type SecretState } from '../entities/secret.ts';
import { DomainError } from '../errors.ts';
import type { Page } from '../ports/schedule-repository.ts';
import type { Seal } from '../ports/seal.ts';
import type { SecretQuery } from '../ports/secret-repository.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';

export interface SecretInput {
  readonly name: string;
  readonly value: string;
}

/** Rounds of "look and replace, else create" before giving up on a name that others create and delete all the time. */
const ROUNDS = 5;

/** What a tenant's callers do with secrets. Values come in and are sealed; none ever comes out here. */
export class SecretService {
  readonly #unitOfWork: UnitOfWork;
  readonly #seal: Seal | null;

  /** `seal`: null when no sealing key is configured; then no value is taken. */
  constructor(parts: { readonly unitOfWork: UnitOfWork; readonly seal: Seal | null }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#seal = parts.seal;
  }

  async get(caller: Caller, name: string): Promise<SecretState> {
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ secrets }) => found(await secrets.find(name)));
  }

  async list(caller: Caller, query: SecretQuery): Promise<Page<SecretState, string>> {
    return this.#unitOfWork.forTenant(caller.tenantId, ({ secrets }) => secrets.page(query));
  }

  /** Deliveries take the new value over within seconds. Throws SECRETS_NOT_CONFIGURED, QUOTA_EXCEEDED past 500 secrets, PRECONDITION_FAILED. */
  async put(
    caller: Caller,
    input: SecretInput,
    ifMatch: number | null,
  ): Promise<{ readonly secret: SecretState; readonly created: boolean }> {
    checkReach(caller);
    const seal = this.#seal;
    if (seal === null)
      throw new DomainError('SECRETS_NOT_CONFIGURED', 'this deployment has no key to seal secrets with (SECRETS_KEY)');
    const place = { tenantId: caller.tenantId, name: input.name };
    const sealed = { sealed: seal.seal(input.value, place), keyId: seal.keyId };
    for (let round = 1; ; round += 1) {
      const put = await this.#unitOfWork.forTenant(caller.tenantId, (work) =>
        putOnce(work, caller, { name: input.name, ...sealed }, ifMatch),
      );
      if (put !== null) return put;
      if (round === ROUNDS) throw new DomainError('CONFLICT', 'the secret is created and deleted all the time');
    }
  }

  /** Throws CONFLICT while a schedule names it. */
  async remove(caller: Caller, name: string, ifMatch: number | null): Promise<void> {
    checkReach(caller);
    await this.#unitOfWork.forTenant(caller.tenantId, async ({ secrets, audit }) => {
      const before = found(await secrets.findForChange(name));
      checkMatch(before, ifMatch);
      const uses = await secrets.countUses(name);
      if (uses > 0) throw new DomainError('CONFLICT', `${uses} schedule${uses === 1 ? ' names' : 's name'} the secret`);
      audit.record(caller, { action: 'secret.deleted', id: name, before: told(before) });
      await secrets.remove(name);
    });
  }
}

type SealedInput = Pick<SecretState, 'name' | 'sealed' | 'keyId'>;

/** Null when somebody else has just created it. */
async function putOnce(
  { secrets, audit, now }: TenantWork,
  caller: Caller,
  input: SealedInput,
  ifMatch: number | null,
): Promise<{ readonly secret: SecretState; readonly created: boolean } | null> {
  const before = await secrets.findForChange(input.name);
  const change = { ...input, updatedAt: new Date(now), updatedBy: caller.subject };
  if (before !== null) {
    checkMatch(before, ifMatch);
    const secret = { ...before, ...change, version: before.version + 1 };
    audit.record(caller, { action: 'secret.replaced', id: input.name, before: told(before), after: told(secret) });
    await secrets.save(secret);
    return { secret, created: false };
  }
  if (ifMatch !== null) throw new DomainError('PRECONDITION_FAILED', 'there is no such secret');
  if ((await secrets.count()) >= MOST_SECRETS)
    throw new DomainError('QUOTA_EXCEEDED', `a tenant has at most ${MOST_SECRETS} secrets`);
  const made = { tenantId: caller.tenantId, version: 1, createdAt: change.updatedAt, createdBy: caller.subject };
  const secret = { ...change, ...made };
  if (!(await secrets.insert(secret))) return null;
  audit.record(caller, { action: 'secret.created', id: input.name, after: told(secret) });
  return { secret, created: true };
}

function found(secret: SecretState | null): SecretState {
  if (secret === null) throw new DomainError('NOT_FOUND', 'no such secret');
  return secret;
}

function checkMatch({ version }: SecretState, ifMatch: number | null): void {
  if (ifMatch === null || ifMatch === version) return;
  throw new DomainError('PRECONDITION_FAILED', `the secret is at version ${version}`);
}

/** What the audit trail tells of a secret. */
function told({ version, keyId }: SecretState): object {
  return { version, keyId };
}

/** Secrets belong to the whole tenant. */
function checkReach({ organizationId }: Caller): void {
  if (organizationId !== null)
    throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}
