/**
 * Tells control which draining pods carry no request any more, so that they may be told to end: once each, as soon as
 * every worker has the table that drains them and the ledger counts nothing on them.
 */
import type { Clock, Timer } from '#base/clock.ts';
import type { LedgerDirectory, PlacedTarget } from '#dataplane/ledger/directory.ts';
import type { Ledger } from '#dataplane/ledger/ledger.ts';

/** How often counts are looked at while some pod is busy ending. */
const POLL_MS = 10;

export interface DrainingOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly directory: LedgerDirectory;
  /** False when nobody was told. */
  readonly send: (endpoints: readonly string[]) => boolean;
}

export class DrainingPods implements Disposable {
  readonly #options: DrainingOptions;
  /** UID → the version that drains it. */
  readonly #pending = new Map<string, number>();
  readonly #told = new Set<string>();
  #applied = 0;
  #timer: Timer | undefined;

  constructor(options: DrainingOptions) {
    this.#options = options;
  }

  /** Looks for draining endpoints in what a table brings. */
  onTable(targets: readonly PlacedTarget[], version: number): void {
    for (const { target } of targets) {
      for (const { id, state } of target.endpoints) {
        if (state === 'draining' && !this.#told.has(id) && !this.#pending.has(id)) this.#pending.set(id, version);
        if (state === 'ready') this.#forget(id);
      }
    }
  }

  /** All workers serve `version`. */
  onApplied(version: number): void {
    this.#applied = version;
    this.#look();
  }

  /** Control is back and may have forgotten: all draining pods are told again. */
  repeat(targets: Iterable<PlacedTarget>): void {
    this.#told.clear();
    this.onTable([...targets], this.#applied);
    this.#look();
  }

  #look(): void {
    const { ledger, directory, send } = this.#options;
    const done: string[] = [];
    for (const [id, version] of this.#pending) {
      const slot = directory.slotOfPod(id);
      if (version <= this.#applied && (slot < 0 || ledger.inFlight(slot) === 0)) done.push(id);
    }
    if (done.length > 0 && send(done)) for (const id of done) this.#tell(id);
    this.#watch();
  }

  #tell(id: string): void {
    this.#pending.delete(id);
    this.#told.add(id);
  }

  #forget(id: string): void {
    this.#pending.delete(id);
    this.#told.delete(id);
  }

  /** Pods that left the table altogether end without being asked about. */
  retain(isKnown: (id: string) => boolean): void {
    for (const id of this.#pending.keys()) if (!isKnown(id)) this.#pending.delete(id);
    for (const id of this.#told) if (!isKnown(id)) this.#told.delete(id);
  }

  #watch(): void {
    if (this.#pending.size === 0) return this[Symbol.dispose]();
    this.#timer ??= this.#options.clock.every(POLL_MS, () => this.#look());
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
