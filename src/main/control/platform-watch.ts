/** Follows `run/platform.json`, which the supervisor rewrites whenever a process is started again. */
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import type { PlatformState, StatePaths } from '#protocol/platform.ts';

const EMPTY: PlatformState = { version: '', bootId: '', processes: [], listeners: [] };

export class PlatformWatch implements Disposable {
  readonly #file: string;
  readonly #watcher: FSWatcher;
  readonly #listeners = new Set<() => void>();
  #state: PlatformState = EMPTY;

  constructor(paths: Pick<StatePaths, 'platformState'>) {
    this.#file = paths.platformState;
    this.#read();
    this.#watcher = watch(path.dirname(this.#file), (_event, name) => {
      if (name === path.basename(this.#file)) this.#changed();
    });
  }

  get state(): PlatformState {
    return this.#state;
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#listeners.clear();
  }

  #changed(): void {
    this.#read();
    for (const listener of this.#listeners) listener();
  }

  #read(): void {
    try {
      this.#state = JSON.parse(readFileSync(this.#file, 'utf8')) as PlatformState;
    } catch {
      // Not there yet: the first report is on its way, and tells us.
    }
  }
}
