import { DomainError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import { isConnectionLost } from '../db/database-errors.ts';

/** Of one tenant. Two, so that one that hangs does not hold up all. */
const MOST_UNDER_WAY = 2;
const MOST_TOGETHER = 64;

/** One caller's question, until it is answered. */
interface Asked<Question, Answer> {
  readonly question: Question;
  /** Aborted: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Line<Question, Answer> {
  underWay: number;
  waiting: Asked<Question, Answer>[];
}

/** Asks for what callers of one tenant want, in one transaction. Answers are aligned with `questions`; `mayEnd` throws where one of them was given up meanwhile. */
export type AskTogether<Question, Answer> = (
  tenantId: TenantId,
  questions: readonly Question[],
  mayEnd: () => void,
) => Promise<readonly Answer[]>;

/**
 * Lets callers of one tenant who ask at the same time share a transaction. A question goes out at once while fewer than two of
 * its tenant's are under way; what comes meanwhile gathers and goes out together when one of them ends. So each is sent after it
 * came, and none waits for company. Questions of two tenants never meet. Where a transaction failed and is undone, each of its
 * questions is asked alone: a bad one fails nobody else's.
 */
export class Gathering<Question, Answer> {
  readonly #ask: AskTogether<Question, Answer>;
  readonly #lines = new Map<TenantId, Line<Question, Answer>>();

  constructor(ask: AskTogether<Question, Answer>) {
    this.#ask = ask;
  }

  ask(tenantId: TenantId, question: Question, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const line = this.#lines.get(tenantId) ?? { underWay: 0, waiting: [] };
    this.#lines.set(tenantId, line);
    line.waiting.push({ question, signal, resolve, reject });
    if (line.underWay < MOST_UNDER_WAY) void this.#sendOn(tenantId, line);
    return promise;
  }

  async #sendOn(tenantId: TenantId, line: Line<Question, Answer>): Promise<void> {
    line.underWay += 1;
    while (line.waiting.length > 0) await this.#answer(tenantId, line.waiting.splice(0, MOST_TOGETHER));
    line.underWay -= 1;
    if (line.underWay === 0) this.#lines.delete(tenantId);
  }

  async #answer(tenantId: TenantId, gathered: readonly Asked<Question, Answer>[]): Promise<void> {
    const asked = gathered.filter(({ signal }) => !signal.aborted);
    if (asked.length === 0) return;
    const mayEnd = (): void => {
      if (asked.some(({ signal }) => signal.aborted)) throw new GivenUp('a question was given up');
    };
    try {
      const questions = asked.map(({ question }) => question);
      const answers = await this.#ask(tenantId, questions, mayEnd);
      if (answers.length !== asked.length) throw new Error('not every question was answered');
      answers.forEach((answer, index) => {
        asked[index]?.resolve(answer);
      });
    } catch (error) {
      if (asked.length > 1 && isUndone(error)) for (const one of asked) await this.#answer(tenantId, [one]);
      else for (const one of asked) one.reject(error);
    }
  }
}

/** Thrown before the end of a transaction that holds what nobody waits for any more. */
class GivenUp extends Error {}

/** False where what was asked may have happened: the connection was lost, or the deadline passed. */
function isUndone(error: unknown): boolean {
  const isOutage = error instanceof DomainError ? error.code === 'UNAVAILABLE' : isConnectionLost(error);
  return !isOutage;
}
