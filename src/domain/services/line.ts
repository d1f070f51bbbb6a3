/** The places of what has been taken are given back once they are so many, and most of all. */
const COMPACT_AT = 1024;

/** Items in the order they came. Taking costs the same however long it is, and it holds no more than waits. */
export class Line<T> {
  #items: (T | undefined)[];
  #head = 0;

  constructor(first: T) {
    this.#items = [first];
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  put(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) this.#items = this.drain();
    return item;
  }

  /** All that waits, which no longer does. */
  drain(): T[] {
    const left = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return left;
  }
}
