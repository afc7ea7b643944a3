/**
 * The last table on disk, so that a gateway can start while control is away. Written whole and renamed into place,
 * off the hot path and not more often than `WRITE_SPACING_MS`; a torn or foreign file counts as none. A mark beside it
 * says that the gateway ended in order.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Clock, Timer } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { RoutingTable } from '#protocol/routing.ts';

const WRITE_SPACING_MS = 250;

export class SnapshotFile implements AsyncDisposable {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #pending: RoutingTable | undefined;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, options: { readonly clock: Clock; readonly log: Logger }) {
    this.#file = file;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  read(): RoutingTable | undefined {
    try {
      const table: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      return isTable(table) ? table : undefined;
    } catch (error) {
      this.#log.debug('no routing table on disk', { error });
      return undefined;
    }
  }

  /** The gateway ends and nothing that it sent is left running: the next one need not wonder. */
  markClean(): void {
    writeFileSync(this.#cleanMark, '');
  }

  /** Whether the last gateway ended so; asked once. */
  wasClean(): boolean {
    try {
      rmSync(this.#cleanMark);
      return true;
    } catch {
      return false;
    }
  }

  get #cleanMark(): string {
    return `${this.#file}.clean`;
  }

  save(table: RoutingTable): void {
    this.#pending = table;
    this.#timer ??= this.#clock.after(WRITE_SPACING_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const table = this.#pending;
    this.#pending = undefined;
    if (table) this.#writing = this.#writing.then(() => this.#write(table));
  }

  async #write(table: RoutingTable): Promise<void> {
    const temporary = `${this.#file}.new`;
    try {
      await writeFile(temporary, JSON.stringify(table), { mode: 0o600 });
      await rename(temporary, this.#file);
    } catch (error) {
      this.#log.warn('the routing table could not be saved', { file: this.#file, error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    await this.#writing;
  }
}

function isTable(value: unknown): value is RoutingTable {
  return (
    isObject(value) && Array.isArray(value['routes']) && Array.isArray(value['targets']) && isObject(value['settings'])
  );
}
