/** Shares one cache per kind between all controllers of a process. */
import type { KubeObject } from '#kube/object.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { Cache, type CacheOptions } from '#client/cache.ts';

export class Caches implements Disposable {
  readonly #options: CacheOptions;
  readonly #caches = new Map<string, Cache<KubeObject>>();
  #started = false;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** The cache of a kind; it begins to follow when `start` is called, or at once afterwards. */
  of<T extends KubeObject>(kind: Kind<T>): Cache<T> {
    const name = nameOf(kind);
    const known = this.#caches.get(name);
    if (known) return known as unknown as Cache<T>;
    const cache = new Cache(kind, this.#options);
    this.#caches.set(name, cache as unknown as Cache<KubeObject>);
    if (this.#started) cache.start();
    return cache;
  }

  /** Ends the cache of a kind that is no longer served. */
  drop(kind: Kind): void {
    const name = nameOf(kind);
    this.#caches.get(name)?.[Symbol.dispose]();
    this.#caches.delete(name);
  }

  /** Starts every cache and resolves once all have their first list. */
  async start(): Promise<void> {
    this.#started = true;
    for (const cache of this.#caches.values()) if (!cache.isSynced) cache.start();
    await Promise.all([...this.#caches.values()].map((cache) => cache.synced));
  }

  [Symbol.dispose](): void {
    for (const cache of this.#caches.values()) cache[Symbol.dispose]();
  }
}

function nameOf(kind: Kind): string {
  return `${resourceOf(kind)}/${kind.version}`;
}
