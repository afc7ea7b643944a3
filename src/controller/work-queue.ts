/**
 * Keys that wait to be reconciled: each at most once, and never handed out while it is being worked on. Adding a key
 * that is being worked on hands it out again afterwards. Delayed adds keep the earliest due time per key.
 */
import type { Clock, Timer } from '#base/clock.ts';
import type { ObjectKey } from '#kube/object.ts';

export class WorkQueue implements Disposable {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #ready = new Set<ObjectKey>();
  readonly #working = new Set<ObjectKey>();
  readonly #again = new Set<ObjectKey>();
  readonly #delayed = new Map<ObjectKey, { due: number; timer: Timer }>();
  #closed = false;

  /** @param onReady called when a key became ready to be taken. */
  constructor(clock: Clock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#ready.size;
  }

  get isIdle(): boolean {
    return this.#ready.size === 0 && this.#working.size === 0;
  }

  add(key: ObjectKey): void {
    if (this.#closed) return;
    this.#cancelDelay(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#onReady();
  }

  addAfter(key: ObjectKey, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key);
    const due = this.#clock.monotonicMs() + delayMs;
    const known = this.#delayed.get(key);
    if (known && known.due <= due) return;
    known?.timer.cancel();
    const timer = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, timer });
  }

  /** The next key to work on; `done` must follow. */
  take(): ObjectKey | undefined {
    const [key] = this.#ready;
    if (key === undefined) return undefined;
    this.#ready.delete(key);
    this.#working.add(key);
    return key;
  }

  done(key: ObjectKey): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#ready.clear();
    this.#again.clear();
  }

  #cancelDelay(key: ObjectKey): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }
}
