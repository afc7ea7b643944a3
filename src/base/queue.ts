/**
 * A bounded first-in first-out queue between one or more producers and one consumer.
 *
 * The bound is named by the caller; what to do when it is reached is the producer's decision (`push` answers
 * false), never a silent loss. `close` lets the consumer drain what is there and then end.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly limit: number;
  #items: T[] = [];
  #head = 0;
  #waiting: ((result: IteratorResult<T>) => void) | undefined;
  #closed = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** False when the queue is full or closed; the item was then not taken. */
  push(item: T): boolean {
    if (this.#closed) return false;
    if (this.#waiting) {
      const deliver = this.#waiting;
      this.#waiting = undefined;
      deliver({ value: item, done: false });
      return true;
    }
    if (this.size >= this.limit) return false;
    this.#items.push(item);
    return true;
  }

  /** What is queued, at once; empties the queue. */
  drain(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  close(): void {
    this.#closed = true;
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  #next(): Promise<IteratorResult<T>> {
    const item = this.#items[this.#head];
    if (this.size > 0) {
      this.#head += 1;
      this.#compact();
      return Promise.resolve({ value: item as T, done: false });
    }
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
