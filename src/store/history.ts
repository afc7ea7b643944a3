/**
 * The window of past events from which watches resume and older snapshots are rebuilt. Bounded by count and by age;
 * whoever asks for more than it holds gets `RevisionCompacted` and lists again.
 */
import type { KubeObject } from '#kube/object.ts';

/** Most events kept. */
const MAX_HISTORY_EVENTS = 10_000;

/** Events older than this are dropped at the next compaction, as etcd does under Kubernetes. */
const MAX_HISTORY_AGE_MS = 5 * 60_000;

export interface StoreEvent {
  readonly type: 'created' | 'updated' | 'deleted';
  readonly revision: number;
  readonly resource: string;
  /** After the change; of a deletion, the last state with the revision of the deletion. */
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

interface Dated {
  readonly event: StoreEvent;
  readonly at: number;
}

export class History {
  #entries: Dated[] = [];
  #floor: number;
  readonly #limit: number;

  /** @param floor revision from which on everything is remembered. */
  constructor(floor: number, limit: number = MAX_HISTORY_EVENTS) {
    this.#floor = floor;
    this.#limit = limit;
  }

  /** A watch may start here or later. */
  get floor(): number {
    return this.#floor;
  }

  append(event: StoreEvent, at: number): void {
    this.#entries.push({ event, at });
    if (this.#entries.length > this.#limit * 1.25) this.#dropFirst(this.#entries.length - this.#limit);
  }

  /** Forgets what is older than the window allows. */
  compact(now: number): void {
    const keepFrom = this.#entries.findIndex(({ at }) => now - at <= MAX_HISTORY_AGE_MS);
    this.#dropFirst(keepFrom < 0 ? this.#entries.length : keepFrom);
  }

  /** Events of `resource` after `revision`, oldest first. */
  after(revision: number, resource: string): StoreEvent[] {
    const events: StoreEvent[] = [];
    for (let index = this.#firstAfter(revision); index < this.#entries.length; index += 1) {
      const event = this.#entries[index]?.event;
      if (event?.resource === resource) events.push(event);
    }
    return events;
  }

  #firstAfter(revision: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.event.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #dropFirst(count: number): void {
    if (count === 0) return;
    this.#floor = this.#entries[count - 1]?.event.revision ?? this.#floor;
    this.#entries = this.#entries.slice(count);
  }
}
