/**
 * The workers: as many as there are seats, each with listeners of its own (duplicates of the inherited ones, since a
 * worker that ends closes what it has). One that dies gives back what it held in the ledger and is replaced at once.
 */
import type { Clock } from '#base/clock.ts';
import { backoffDelayMs } from '#base/backoff.ts';
import type { Logger } from '#base/log.ts';
import type { MainMessage, WorkerBirth, WorkerMessage, WorkerStats } from '#dataplane/gateway/messages.ts';
import type { LedgerDirectory } from '#dataplane/ledger/directory.ts';
import type { Ledger } from '#dataplane/ledger/ledger.ts';
import { recoverSeat } from '#dataplane/ledger/recovery.ts';
import type { ListenerKind } from '#dataplane/proxy/exchange.ts';

/** A thread, or what stands for one. */
export interface WorkerThread {
  post(message: MainMessage): void;
  terminate(): Promise<void>;
}

export interface WorkerEvents {
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onExit: (error: Error | undefined) => void;
}

export interface WorkerPoolOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly directory: LedgerDirectory;
  /** Inherited descriptors. */
  readonly listeners: readonly { readonly kind: ListenerKind; readonly fd: number }[];
  readonly duplicate: (fd: number) => number;
  readonly spawn: (birth: WorkerBirth, events: WorkerEvents) => WorkerThread;
  /** The part of a birth that changes. */
  readonly birth: () => Pick<WorkerBirth, 'httpsPort' | 'certificate' | 'update'>;
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onApplied: (applied: Applied) => void;
}

export interface Applied {
  /** All workers that serve at all serve this version or a later one. */
  readonly serving: number;
  /** No worker knows an earlier version, not even one that is being born. */
  readonly everywhere: number;
}

/** A worker that dies again soon after its birth waits a little longer each time. */
const RESPAWN_BACKOFF = { baseMs: 20, maxMs: 2_000 };
const STABLE_AFTER_MS = 5_000;
/** Workers that have not answered by then are left out of a report. */
const COLLECT_TIMEOUT_MS = 300;

interface Member {
  readonly seat: number;
  thread: WorkerThread;
  bornAt: number;
  applied: number;
  listening: boolean;
  drained: boolean;
}

interface Round {
  readonly stats: WorkerStats[];
  answers: number;
  readonly finish: () => void;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Map<number, Member>();
  readonly #rounds = new Map<number, Round>();
  readonly #late: WorkerStats[] = [];
  #round = 0;
  #deaths = 0;
  #stopping = false;
  #cut = 0;
  #onDrained: ((cut: number) => void) | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Fills every seat but the main thread's. */
  start(): void {
    for (let seat = 1; seat < this.#options.ledger.layout.seats; seat += 1) this.#spawn(seat);
  }

  get listening(): number {
    return [...this.#members.values()].filter(({ listening }) => listening).length;
  }

  get deaths(): number {
    return this.#deaths;
  }

  post(message: MainMessage): void {
    for (const { thread } of this.#members.values()) thread.post(message);
  }

  /** What happened in all workers since the last time. */
  collect(): Promise<WorkerStats[]> {
    this.#round += 1;
    const round = this.#round;
    return new Promise((resolve) => {
      const stats = this.#late.splice(0);
      const finish = () => {
        timer.cancel();
        this.#rounds.delete(round);
        resolve(stats);
      };
      const timer = this.#options.clock.after(COLLECT_TIMEOUT_MS, finish);
      this.#rounds.set(round, { stats, answers: 0, finish });
      this.post({ type: 'collect', round });
      if (this.#members.size === 0) finish();
    });
  }

  /** Lets all finish what they carry for `graceMs`; answers how many requests had to be cut then. */
  drain(graceMs: number): Promise<number> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.post({ type: 'drain', graceMs });
      this.#lookWhetherDrained();
    });
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#members.values()].map(({ thread }) => thread.terminate()));
  }

  #spawn(seat: number): void {
    const { clock, duplicate, ledger, listeners, spawn, birth } = this.#options;
    const born: WorkerBirth = {
      seat,
      seats: ledger.layout.seats,
      memory: ledger.layout.words.buffer,
      listeners: listeners.map(({ kind, fd }) => ({ kind, fd: duplicate(fd) })),
      ...birth(),
    };
    const thread = spawn(born, {
      onMessage: (message) => this.#onMessage(member, message),
      onExit: (error) => this.#onExit(member, error),
    });
    const member: Member = { seat, thread, bornAt: clock.monotonicMs(), applied: 0, listening: false, drained: false };
    this.#members.set(seat, member);
  }

  #onMessage(member: Member, message: WorkerMessage): void {
    if (message.type === 'stats') return this.#onStats(message);
    if (message.type === 'listening') member.listening = true;
    if (message.type === 'drained') {
      member.drained = true;
      this.#cut += message.cut;
    }
    if (message.type === 'applied') {
      member.applied = message.version;
      this.#tellApplied();
    }
    this.#lookWhetherDrained();
    return this.#options.onMessage(message);
  }

  #onStats(stats: WorkerStats): void {
    const round = this.#rounds.get(stats.round);
    if (!round) {
      // Too late for its round: it counts in the next.
      this.#late.push(stats);
      return;
    }
    round.stats.push(stats);
    round.answers += 1;
    if (round.answers >= this.#members.size) round.finish();
  }

  #tellApplied(): void {
    const applied = [...this.#members.values()].map((member) => member.applied);
    const started = applied.filter((version) => version > 0);
    if (started.length > 0)
      this.#options.onApplied({ serving: Math.min(...started), everywhere: Math.min(...applied) });
  }

  #onExit(member: Member, error: Error | undefined): void {
    if (this.#members.get(member.seat) !== member) return;
    this.#members.delete(member.seat);
    const { clock, log, ledger, directory } = this.#options;
    recoverSeat(ledger, member.seat);
    directory.pumpAll();
    if (this.#stopping) return this.#lookWhetherDrained();
    this.#deaths += 1;
    const livedMs = clock.monotonicMs() - member.bornAt;
    log.error('a worker died', { seat: member.seat, livedMs, error });
    const delayMs = livedMs > STABLE_AFTER_MS ? 0 : backoffDelayMs(RESPAWN_BACKOFF, Math.min(this.#deaths - 1, 10));
    // Its siblings accept meanwhile.
    if (delayMs === 0) this.#spawn(member.seat);
    else clock.after(delayMs, () => this.#stopping || this.#spawn(member.seat));
    return undefined;
  }

  #lookWhetherDrained(): void {
    if (!this.#onDrained || ![...this.#members.values()].every(({ drained }) => drained)) return;
    this.#onDrained(this.#cut);
    this.#onDrained = undefined;
  }
}
