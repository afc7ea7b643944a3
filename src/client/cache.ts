/**
 * A local copy of one kind that follows a watch: list, then watch from there; list again when the watch is too old.
 *
 * Handlers run in the order of events and may not throw. In process, an event arrives before the write that caused it
 * is acknowledged, so whoever wrote sees its own write here. Over a network the copy may lag; callers must converge
 * all the same.
 */
import { assert } from '#base/assert.ts';
import { backoffDelayMs } from '#base/backoff.ts';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Kind } from '#kube/kind.ts';
import {
  keyOf,
  keyOfRef,
  type KubeObject,
  namespaceOf,
  type ObjectKey,
  type ObjectRef,
  type Stored,
  type WatchEvent,
} from '#kube/object.ts';
import { isStatus, StatusError } from '#kube/status.ts';
import type { Client } from '#client/client.ts';
import { type Subscription, subscriptionOf } from '#client/transport.ts';

const RETRY = { baseMs: 50, maxMs: 10_000 };

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: Stored<T>; readonly previous?: undefined }
  | { readonly type: 'updated'; readonly object: Stored<T>; readonly previous: Stored<T> }
  | { readonly type: 'deleted'; readonly object: Stored<T>; readonly previous?: undefined };

export type ChangeHandler<T extends KubeObject> = (change: Change<T>) => void;

/** Names an index; the function answers the values under which an object is found. */
export type Indexer<T extends KubeObject> = (object: Stored<T>) => readonly string[];

export interface CacheOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Only objects that these select; all when absent. */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export class Cache<T extends KubeObject> implements Disposable {
  readonly kind: Kind<T>;
  readonly #options: CacheOptions;
  readonly #objects = new Map<ObjectKey, Stored<T>>();
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #version = '';
  #failures = 0;
  #closed = false;
  #watch: Subscription | undefined;
  #retry: Timer | undefined;

  constructor(kind: Kind<T>, options: CacheOptions) {
    this.kind = kind;
    this.#options = options;
  }

  /** Begins to follow. */
  start(): void {
    void this.#list();
  }

  /** Resolves when the first list has arrived. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get(ref: ObjectRef): Stored<T> | undefined {
    return this.#objects.get(keyOfRef(ref));
  }

  byKey(key: ObjectKey): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): Stored<T>[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => namespaceOf(object) === namespace);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Declares an index. Declaring it again does nothing; giving its name to another one is a mistake, and throws. */
  addIndex(name: string, indexer: Indexer<T>): void {
    const known = this.#indexes.get(name);
    assert(!known || known.isBy(indexer), `the index ${name} of ${this.kind.plural} is declared twice, differently`);
    if (known) return;
    const index = new Index(indexer);
    for (const object of this.#objects.values()) index.add(object);
    this.#indexes.set(name, index);
  }

  byIndex(name: string, value: string): Stored<T>[] {
    const keys = this.#indexes.get(name)?.keys(value) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Calls `handler` with every object as added, then with each change. */
  subscribe(handler: ChangeHandler<T>): Subscription {
    for (const object of this.#objects.values()) handler({ type: 'added', object });
    this.#handlers.add(handler);
    return subscriptionOf(() => void this.#handlers.delete(handler));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watch?.close();
    this.#retry?.cancel();
    this.#handlers.clear();
  }

  async #list(): Promise<void> {
    const { client, labelSelector, fieldSelector } = this.#options;
    try {
      const list = await client.list(this.kind, { labelSelector, fieldSelector, resourceVersion: '0' });
      if (this.#closed) return;
      this.#replace(list.items);
      this.#version = list.metadata.resourceVersion;
      this.#failures = 0;
      this.#isSynced = true;
      this.#synced.resolve();
      this.#follow();
    } catch (error) {
      this.#again('list', error, () => void this.#list());
    }
  }

  #follow(): void {
    const { client, labelSelector, fieldSelector } = this.#options;
    const options = { labelSelector, fieldSelector, resourceVersion: this.#version, allowWatchBookmarks: true };
    this.#watch = client.watch(
      { kind: this.kind, options },
      { onEvent: (event) => this.#apply(event as WatchEvent<Stored<T>>), onEnd: (error) => this.#ended(error) },
    );
  }

  #ended(error: StatusError | undefined): void {
    if (this.#closed) return;
    if (error === undefined) this.#again('watch', undefined, () => this.#follow());
    else if (isStatus(error, 'Expired', 'Gone')) void this.#list();
    else this.#again('watch', error, () => void this.#list());
  }

  #again(what: string, error: unknown, attempt: () => void): void {
    if (this.#closed) return;
    const delayMs = Math.min(backoffDelayMs(RETRY, this.#failures), askedDelayMs(error));
    this.#failures += 1;
    if (error !== undefined) {
      this.#options.logger.warn(`${what} of ${this.kind.plural} failed, again in ${delayMs} ms`, { error });
    }
    this.#retry = this.#options.clock.after(delayMs, attempt);
  }

  #replace(items: readonly Stored<T>[]): void {
    const present = new Set(items.map(keyOf));
    for (const [key, object] of this.#objects) if (!present.has(key)) this.#remove(object);
    for (const item of items) this.#put(item);
  }

  #apply({ type, object }: WatchEvent<Stored<T>>): void {
    this.#version = object.metadata.resourceVersion;
    this.#failures = 0;
    if (type === 'DELETED') this.#remove(object);
    else if (type !== 'BOOKMARK') this.#put(object);
  }

  #put(object: Stored<T>): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous && previous.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) index.replace(previous, object);
    this.#announce(previous ? { type: 'updated', object, previous } : { type: 'added', object });
  }

  #remove(object: Stored<T>): void {
    const previous = this.#objects.get(keyOf(object));
    if (!previous) return;
    this.#objects.delete(keyOf(object));
    for (const index of this.#indexes.values()) index.replace(previous, undefined);
    this.#announce({ type: 'deleted', object });
  }

  #announce(change: Change<T>): void {
    for (const handler of this.#handlers) handler(change);
  }
}

/** A server that is coming up says when to ask again, and that is soon. */
function askedDelayMs(error: unknown): number {
  const seconds = error instanceof StatusError ? error.status.details?.retryAfterSeconds : undefined;
  return seconds === undefined ? Infinity : Math.max(RETRY.baseMs, seconds * 1_000);
}

class Index<T extends KubeObject> {
  readonly #indexer: Indexer<T>;
  readonly #keys = new Map<string, Set<ObjectKey>>();

  constructor(indexer: Indexer<T>) {
    this.#indexer = indexer;
  }

  /** Whether it goes by the same rule, which is told by its source: every caller makes a function of its own. */
  isBy(indexer: Indexer<T>): boolean {
    return this.#indexer === indexer || String(this.#indexer) === String(indexer);
  }

  keys(value: string): Iterable<ObjectKey> {
    return this.#keys.get(value) ?? [];
  }

  add(object: Stored<T>): void {
    for (const value of this.#indexer(object)) {
      const keys = this.#keys.get(value) ?? new Set();
      this.#keys.set(value, keys.add(keyOf(object)));
    }
  }

  replace(previous: Stored<T> | undefined, next: Stored<T> | undefined): void {
    if (previous) this.#drop(previous);
    if (next) this.add(next);
  }

  #drop(object: Stored<T>): void {
    for (const value of this.#indexer(object)) {
      const keys = this.#keys.get(value);
      keys?.delete(keyOf(object));
      if (keys?.size === 0) this.#keys.delete(value);
    }
  }
}
