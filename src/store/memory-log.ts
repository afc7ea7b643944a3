/** A log that keeps its rows in memory: for tests, and to try a crash by opening a second store on the same log. */
import type { LogContent, LogRow, StoreLog } from '#store/log.ts';

export class MemoryLog implements StoreLog {
  readonly #rows = new Map<string, LogRow>();
  #reserved = 0;
  /** Set by tests: the next commits fail with it. */
  failure: Error | undefined;
  /** Set by tests: commits wait for it. */
  gate: Promise<void> = Promise.resolve();

  load(): Promise<LogContent> {
    return Promise.resolve({ rows: [...this.#rows.values()], reserved: this.#reserved });
  }

  async commit(rows: readonly LogRow[], reserved: number): Promise<void> {
    await this.gate;
    if (this.failure) throw this.failure;
    for (const row of rows) {
      if (row.value === null) this.#rows.delete(row.key);
      else this.#rows.set(row.key, row);
    }
    this.#reserved = reserved;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
