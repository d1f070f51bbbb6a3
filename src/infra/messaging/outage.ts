import type { Journal } from '../../domain/ports/journal.ts';

/** Tells of a broker that comes and goes, each time once. */
export class OutageNotes {
  readonly #journal: Pick<Journal, 'note'>;
  readonly #server: string;
  /** Null before the first try. */
  #isThere: boolean | null = null;

  constructor(journal: Pick<Journal, 'note'>, server: string) {
    this.#journal = journal;
    this.#server = server;
  }

  connected(): void {
    if (this.#isThere === true) return;
    this.#isThere = true;
    this.#journal.note('broker.connected', { server: this.#server });
  }

  /** It was there and went, or the first try found nobody. */
  away(error: unknown): void {
    if (this.#isThere === false) return;
    const event = this.#isThere === null ? 'broker.unreachable' : 'broker.disconnected';
    this.#isThere = false;
    this.#journal.note(event, { server: this.#server, reason: codeOf(error) });
  }
}

/** What went wrong, in a word: a code, not the text, which may name users. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'closed';
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) return String(error.code);
  if (/timeout/i.test(error.message)) return 'silent';
  return /\b\d{3} \([A-Z_-]+\)|\b[A-Z]{5,}\b/.exec(error.message)?.[0] ?? error.name;
}
