import { addressOf, type BulkDeed, type BulkItem, type BulkOperation, type BulkResult } from '../entities/bulk.ts';
import type { ScheduleEntity } from '../entities/schedule.ts';
import { DomainError } from '../errors.ts';
import type { TenantWork } from '../ports/unit-of-work.ts';
import { namedTwice, refusalOf } from './bulk-refusals.ts';

/** What one item does to its schedule; `after` is null where it goes. */
export interface BulkChange {
  readonly index: number;
  readonly did: BulkDeed;
  readonly before: ScheduleEntity | null;
  readonly after: ScheduleEntity | null;
}

/** The items of a request and what became of each. */
export class BulkSheet {
  readonly #items: readonly BulkItem[];
  readonly #results: (BulkResult | null)[];

  constructor(items: readonly BulkItem[]) {
    this.#items = items;
    this.#results = items.map((item) => (item instanceof DomainError ? refusalOf(item) : null));
  }

  /** Operations without a result yet. */
  get open(): readonly { readonly index: number; readonly operation: BulkOperation }[] {
    return this.#items.flatMap((operation, index) =>
      operation instanceof DomainError || this.#results[index] !== null ? [] : [{ index, operation }],
    );
  }

  get hasRefusals(): boolean {
    return this.#results.some((result) => result?.did === 'REFUSED');
  }

  /** One for each item. Throws while one is missing. */
  get results(): readonly BulkResult[] {
    return this.#results.map((result) => {
      if (result === null) throw new Error('an item was left without a result');
      return result;
    });
  }

  isUpsert(index: number): boolean {
    const item = this.#items[index];
    return item !== undefined && !(item instanceof DomainError) && item.kind === 'UPSERT';
  }

  done(index: number, { did, before, after }: Omit<BulkChange, 'index'>): void {
    const shown = after ?? before;
    if (shown === null) throw new Error('a change of nothing');
    const { id, key, version } = shown.state;
    this.#results[index] = { did, id, key, version };
  }

  /** Rethrows what is no DomainError: a bug or an outage concerns the whole request. */
  refuse(index: number, error: unknown): void {
    if (!(error instanceof DomainError)) throw error;
    this.#results[index] = refusalOf(error);
  }
}

/** The schedules that items name, locked, by the item's index. Refuses the second item that names the same one. */
export async function foundFor(work: TenantWork, sheet: BulkSheet): Promise<ReadonlyMap<number, ScheduleEntity>> {
  const firstOf = new Map<string, number>();
  const takes = (name: string, index: number): boolean => {
    const first = firstOf.get(name) ?? index;
    firstOf.set(name, first);
    if (first !== index) sheet.refuse(index, namedTwice(first));
    return first === index;
  };
  const named = sheet.open.flatMap(({ index, operation }) => {
    const address = addressOf(operation);
    if (address === null || !takes('id' in address ? `id ${address.id}` : `key ${address.key}`, index)) return [];
    return operation.kind === 'CREATE' ? [] : [{ index, address }];
  });
  const found = await work.schedules.findAllForChange(named.map(({ address }) => address));
  const befores = new Map<number, ScheduleEntity>();
  named.forEach(({ index }, place) => {
    const schedule = found[place] ?? null;
    if (schedule !== null && takes(`found ${schedule.state.id}`, index)) befores.set(index, schedule);
  });
  return befores;
}
