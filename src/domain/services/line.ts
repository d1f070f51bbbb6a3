/** What has been taken is let go of once it is so much, and most of what is held. */
const COMPACT_AT = 1024;

/** Items in the order they came. Taking costs the same however long it is, and it holds no more than waits. */
export class Line<T> {
  #items: T[];
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
    const item = this.#items[this.#head];
    if (this.#head < this.#items.length) this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) this.#items = this.drain();
    return item;
  }

  /** All that waits, which no longer does. */
  drain(): T[] {
    const left = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return left;
  }
}
