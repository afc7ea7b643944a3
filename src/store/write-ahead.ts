/**
 * Group commit: collects durable writes while the previous batch is on its way to the disk, then sends them all as
 * one. One batch is in flight at a time, so revisions stay in order. Derived rows ride along, or are flushed after
 * `LAZY_FLUSH_MS` when nothing durable comes; of several versions of one object only the last is written.
 */
import type { Clock, Timer } from '#base/clock.ts';
import { StoreUnavailable, TooManyWrites } from '#store/errors.ts';
import type { LogRow, StoreLog } from '#store/log.ts';
import type { Revisions } from '#store/revisions.ts';

/** Most durable writes in one batch. */
const MAX_BATCH = 2_000;

/** Most durable writes that wait; more are refused. */
const MAX_WAITING = 20_000;

/** How long a derived change may stay in memory only. */
const LAZY_FLUSH_MS = 20;
/** The same after the disk refused them: it is full, and stays so for a while. */
const REFUSED_RETRY_MS = 1_000;

/** Most derived rows in one batch, so that a durable write never waits behind a flood of them. */
const MAX_LAZY_ROWS = 1_000;

export interface PendingWrite {
  readonly key: string;
  /** Called with the revision when the batch is made up: the text to store, or null to remove. */
  readonly render: (revision: number) => string | null;
  /** Called once the batch is on disk, in order of revisions. */
  readonly publish: (revision: number) => void;
  readonly fail: (error: Error) => void;
}

/** A derived row is rendered only when it is written: the object's last state, or null. */
export type LazyRow = () => { revision: number; value: string | null };

export interface WriteAheadOptions {
  readonly log: StoreLog;
  readonly revisions: Revisions;
  readonly clock: Clock;
  /** Called after each batch: derived writes that waited for a free revision may go on. */
  readonly onBatchEnd: () => void;
  readonly onLazyFailure: (error: Error) => void;
}

export class WriteAhead {
  readonly #options: WriteAheadOptions;
  #waiting: PendingWrite[] = [];
  #lazy = new Map<string, LazyRow>();
  #flight: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Whether the last batch failed. */
  #refused = false;

  constructor(options: WriteAheadOptions) {
    this.#options = options;
  }

  /** Queues a durable write; refuses when too many wait. */
  add(write: PendingWrite): void {
    if (this.#waiting.length >= MAX_WAITING) return write.fail(new TooManyWrites(MAX_WAITING));
    this.#waiting.push(write);
    this.#lazy.delete(write.key);
    this.#launch();
  }

  /** Notes that an object's row on disk is behind. */
  addLazy(key: string, row: LazyRow): void {
    this.#lazy.set(key, row);
    if (this.#flight === undefined) this.#schedule();
  }

  /** Sends a batch even if only to extend the reservation. */
  kick(): void {
    this.#launch();
  }

  /** Resolves when everything queued so far, lazy rows included, is on disk, or the disk refused it. */
  async drain(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#flight;
    while (this.#waiting.length > 0 || this.#lazy.size > 0) {
      this.#launch();
      await this.#flight;
      if (this.#refused) return;
    }
  }

  #launch(): void {
    if (this.#flight === undefined) this.#flight = this.#run();
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.after(this.#refused ? REFUSED_RETRY_MS : LAZY_FLUSH_MS, () => {
      this.#timer = undefined;
      this.#launch();
    });
  }

  /** One batch; the next begins when this one has ended and something waits. */
  async #run(): Promise<void> {
    // Writers of one tick share a batch: begin once the current microtasks have run.
    await Promise.resolve();
    const batch = this.#waiting.splice(0, MAX_BATCH);
    const lazyRows = this.#takeLazy();
    await this.#commit(batch, lazyRows);
    this.#flight = undefined;
    this.#options.onBatchEnd();
    const { isRunningLow } = this.#options.revisions;
    if (this.#waiting.length > 0 || (isRunningLow && !this.#refused)) this.#launch();
    else if (this.#lazy.size > 0 || isRunningLow) this.#schedule();
  }

  async #commit(batch: PendingWrite[], lazy: Map<string, LazyRow>): Promise<void> {
    const { revisions, log } = this.#options;
    const { first, reserve } = revisions.begin(batch.length);
    const rows: LogRow[] = [...lazy].map(([key, render]) => ({ key, ...render() }));
    batch.forEach(({ key, render }, index) =>
      rows.push({ key, revision: first + index, value: render(first + index) }),
    );
    try {
      await log.commit(rows, reserve);
    } catch (error) {
      this.#abandon(batch, lazy, asError(error));
      return;
    }
    this.#refused = false;
    revisions.reserve(reserve);
    batch.forEach(({ publish }, index) => {
      revisions.publish(first + index);
      publish(first + index);
    });
    revisions.end();
  }

  #abandon(batch: PendingWrite[], lazy: Map<string, LazyRow>, error: Error): void {
    this.#refused = true;
    this.#options.revisions.abandon();
    for (const [key, row] of lazy) if (!this.#lazy.has(key)) this.#lazy.set(key, row);
    if (lazy.size > 0) this.#options.onLazyFailure(error);
    for (const write of batch) write.fail(error);
  }

  #takeLazy(): Map<string, LazyRow> {
    if (this.#lazy.size <= MAX_LAZY_ROWS) {
      const all = this.#lazy;
      this.#lazy = new Map();
      return all;
    }
    const taken = new Map([...this.#lazy].slice(0, MAX_LAZY_ROWS));
    for (const key of taken.keys()) this.#lazy.delete(key);
    return taken;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new StoreUnavailable(String(error));
}
