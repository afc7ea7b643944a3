/**
 * The revisioned store: every object of every resource in memory, one revision counter, watches with history.
 *
 * Guarantees: events are published in the order of revisions, each exactly once; a durable write is visible and
 * acknowledged only once it is on disk; a derived one at once. Writes to one object are decided one after the other.
 * Objects are frozen; `metadata.resourceVersion` is stamped here and nowhere else.
 * It does not validate, default, or know about kinds.
 */
import type { Clock, Timer } from '#base/clock.ts';
import { deepFreeze } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { keyOfRef, type KubeObject, type ObjectKey, type ObjectRef } from '#kube/object.ts';
import { RevisionCompacted, RevisionConflict } from '#store/errors.ts';
import { History, type StoreEvent } from '#store/history.ts';
import type { StoreLog } from '#store/log.ts';
import { Revisions } from '#store/revisions.ts';
import { rollBack } from '#store/snapshot.ts';
import { Table, type TableEntry } from '#store/table.ts';
import { WriteAhead } from '#store/write-ahead.ts';

/** How often old history is dropped. */
const COMPACTION_PERIOD_MS = 30_000;

export type Durability = 'durable' | 'derived';

export interface StoreWrite {
  /** `services.serving.knative.dev`: see `resourceOf`. */
  readonly resource: string;
  readonly ref: ObjectRef;
  /** The revision that the object must be at, or 0 when it must not exist. */
  readonly expected: number;
  /**
   * The new state, which the store takes over, stamps and freezes; or the last state of an object to remove
   * (`remove`), which watchers see in the deletion event.
   */
  readonly object: KubeObject;
  readonly remove?: boolean;
  readonly durability: Durability;
}

export interface Subscription extends Disposable {
  close(): void;
}

export interface StoreOptions {
  readonly log: StoreLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Most events of history; a default applies. */
  readonly historyLimit?: number;
}

export interface Snapshot {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
}

type Listener = (event: StoreEvent) => void;

export class Store implements AsyncDisposable {
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #options: StoreOptions;
  readonly #revisions: Revisions;
  readonly #history: History;
  readonly #ahead: WriteAhead;
  readonly #compaction: Timer;
  /** Per object: settles when the write that is under way has been decided. */
  readonly #busy = new Map<string, Promise<void>>();
  #revisionWaiters: (() => void)[] = [];

  private constructor(options: StoreOptions, revisions: Revisions) {
    this.#options = options;
    this.#revisions = revisions;
    this.#history = new History(revisions.current, options.historyLimit);
    this.#ahead = new WriteAhead({
      log: options.log,
      revisions,
      clock: options.clock,
      onBatchEnd: () => this.#wakeWaiters(),
      onLazyFailure: (error) => options.logger.warn('derived state could not be written to disk', { error }),
    });
    this.#compaction = options.clock.every(COMPACTION_PERIOD_MS, () => this.#history.compact(options.clock.now()));
  }

  /** Reads what the log holds and reserves the first revisions. */
  static async open(options: StoreOptions): Promise<Store> {
    const { rows, reserved } = await options.log.load();
    const store = new Store(options, new Revisions(reserved));
    for (const { key, revision, value } of rows) if (value !== null) store.#restore(key, revision, value);
    store.#ahead.kick();
    await store.#ahead.drain();
    return store;
  }

  /** The last published revision. */
  get revision(): number {
    return this.#revisions.current;
  }

  /** A watch can start at this revision or later. */
  get oldestRevision(): number {
    return this.#history.floor;
  }

  get(resource: string, ref: ObjectRef): TableEntry | undefined {
    return this.#tables.get(resource)?.get(keyOfRef(ref));
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.size ?? 0;
  }

  /** All objects of a resource in key order, as of now or as of an earlier revision that history still reaches. */
  list(resource: string, options: { namespace?: string | undefined; revision?: number | undefined } = {}): Snapshot {
    const { namespace, revision = this.revision } = options;
    const table = this.#tables.get(resource);
    if (revision >= this.revision) return { objects: table?.list(namespace) ?? [], revision: this.revision };
    if (revision < this.#history.floor) throw new RevisionCompacted(revision, this.#history.floor);
    const objects = rollBack(table?.list(namespace) ?? [], this.#history.after(revision, resource), namespace);
    return { objects, revision };
  }

  /**
   * Decides and publishes one write; resolves with the stored object.
   * Throws RevisionConflict when the object is not at `expected`, StoreUnavailable when the disk refuses.
   */
  async write(write: StoreWrite): Promise<KubeObject> {
    const id = `${write.resource}/${write.ref.namespace ?? ''}/${write.ref.name}`;
    for (let under = this.#busy.get(id); under; under = this.#busy.get(id)) await under;
    const actual = this.#revisionOf(write);
    if ((actual ?? 0) !== write.expected) throw new RevisionConflict(actual);
    if (write.durability === 'derived' && this.#revisions.canTake) return this.#publishDerived(id, write);
    const done = Promise.withResolvers<void>();
    this.#busy.set(id, done.promise);
    try {
      return write.durability === 'derived' ? await this.#whenFree(id, write) : await this.#writeDurably(id, write);
    } finally {
      this.#busy.delete(id);
      done.resolve();
    }
  }

  /**
   * Calls `listener` for every event of `resource` after `fromRevision`, first those of the past, then each as it
   * is published, in order and synchronously: a listener only notes the event, it never writes.
   * Throws RevisionCompacted when history does not reach back that far.
   */
  watch(resource: string, fromRevision: number, listener: Listener): Subscription {
    if (fromRevision < this.#history.floor) throw new RevisionCompacted(fromRevision, this.#history.floor);
    const listeners = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, listeners);
    for (const event of this.#history.after(fromRevision, resource)) listener(event);
    listeners.add(listener);
    const close = () => void listeners.delete(listener);
    return { close, [Symbol.dispose]: close };
  }

  /** Writes out what is only in memory. */
  flush(): Promise<void> {
    return this.#ahead.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#compaction.cancel();
    await this.#ahead.drain();
    await this.#options.log[Symbol.asyncDispose]();
  }

  #revisionOf({ resource, ref }: StoreWrite): number | undefined {
    return this.get(resource, ref)?.revision;
  }

  async #whenFree(id: string, write: StoreWrite): Promise<KubeObject> {
    while (!this.#revisions.canTake) {
      await new Promise<void>((resolve) => {
        this.#revisionWaiters.push(resolve);
        this.#ahead.kick();
      });
    }
    return this.#publishDerived(id, write);
  }

  #wakeWaiters(): void {
    const waiters = this.#revisionWaiters;
    this.#revisionWaiters = [];
    for (const wake of waiters) wake();
  }

  #publishDerived(id: string, write: StoreWrite): KubeObject {
    const object = this.#publish(write, this.#revisions.take());
    this.#ahead.addLazy(id, () => this.#rowOf(write));
    return object;
  }

  #rowOf({ resource, ref }: StoreWrite): { revision: number; value: string | null } {
    const entry = this.get(resource, ref);
    return entry
      ? { revision: entry.revision, value: JSON.stringify(entry.object) }
      : { revision: this.revision, value: null };
  }

  #writeDurably(id: string, write: StoreWrite): Promise<KubeObject> {
    return new Promise((resolve, reject) => {
      this.#ahead.add({
        key: id,
        render: (revision) => {
          write.object.metadata.resourceVersion = String(revision);
          return write.remove ? null : JSON.stringify(write.object);
        },
        publish: (revision) => resolve(this.#publish(write, revision)),
        fail: reject,
      });
    });
  }

  #publish(write: StoreWrite, revision: number): KubeObject {
    const { resource, ref, object, remove } = write;
    const key = keyOfRef(ref);
    object.metadata.resourceVersion = String(revision);
    deepFreeze(object);
    const table = this.#tableOf(resource);
    const previous = table.get(key)?.object;
    if (remove) table.delete(key);
    else table.set(key, { object, revision });
    this.#announce({ type: eventType(previous, remove), revision, resource, object, previous });
    return object;
  }

  #announce(event: StoreEvent): void {
    this.#history.append(event, this.#options.clock.now());
    for (const listener of this.#listeners.get(event.resource) ?? []) listener(event);
  }

  #restore(id: string, revision: number, value: string): void {
    const [resource = '', namespace = '', ...name] = id.split('/');
    const object = deepFreeze(JSON.parse(value) as KubeObject);
    const key: ObjectKey = keyOfRef({ namespace: namespace || undefined, name: name.join('/') });
    this.#tableOf(resource).set(key, { object, revision });
  }

  #tableOf(resource: string): Table {
    const table = this.#tables.get(resource) ?? new Table();
    this.#tables.set(resource, table);
    return table;
  }
}

function eventType(previous: KubeObject | undefined, remove: boolean | undefined): StoreEvent['type'] {
  if (remove) return 'deleted';
  return previous ? 'updated' : 'created';
}
