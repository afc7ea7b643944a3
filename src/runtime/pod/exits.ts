/**
 * Learns how containers ended. The supervisor, their parent, writes one file per exit (`ExitRecord`); this watches the
 * folder and tells whoever waits for that process, and removes it once that one is done with it, so that a death in
 * between loses no exit. A process whose parent is not the supervisor any more (it was
 * killed and a new one started) leaves no record: those are looked at every `ORPHAN_POLL_MS`, and where the kernel
 * still tells their exit code, it is used.
 */
import { closeSync, type FSWatcher, mkdirSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import type { ExitRecord } from '#protocol/platform.ts';
import { foreignExitStatus, hasExited, pidfdOf } from '#sys/pidfd.ts';
import type { ProcessIdentity } from '#sys/proc.ts';

const ORPHAN_POLL_MS = 250;

/** After a process was seen to be gone, its record may still be on its way for this long. */
const RECORD_GRACE_MS = 500;

/**
 * Start time of a process that had left the table before anybody could read it: one that ends as soon as it begins.
 * Its record is the newest one of its pid.
 */
export const UNSEEN_START = 0;

export interface Exit {
  /** Undefined when nobody could say. */
  readonly exitCode?: number | undefined;
  readonly signal?: number | undefined;
  readonly at: number;
}

interface Waiter {
  readonly identity: ProcessIdentity;
  readonly onExit: (exit: Exit) => void | Promise<void>;
  /** Keeps the exit code readable after the process is gone (Linux 6.15). */
  readonly pidfd: number | undefined;
  goneSince: number | undefined;
}

export class ExitWatcher implements Disposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter>();
  /** Names of the records that somebody has been told of and is not done with. */
  readonly #settling = new Set<string>();
  readonly #watcher: FSWatcher;
  readonly #poll: Timer;

  constructor(folder: string, clock: Clock) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#clock = clock;
    this.#watcher = watch(folder, () => this.#readAll());
    this.#poll = clock.every(ORPHAN_POLL_MS, () => this.#pollOrphans());
  }

  /**
   * Calls `onExit` once, when the process has ended; also when that happened before. Should this agent die before it
   * resolves, the next one is told again.
   */
  waitFor(identity: ProcessIdentity, onExit: Waiter['onExit']): void {
    const pidfd = pidfdOf(identity);
    this.#waiters.set(keyOf(identity), { identity, onExit, pidfd, goneSince: undefined });
    this.#readAll();
  }

  /** Removes records that nobody waits for any more; call it once every container has been adopted. */
  sweep(): void {
    for (const name of readdirSync(this.#folder)) {
      if (!this.#waiters.has(name) && !this.#settling.has(name)) this.#remove(name);
    }
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#poll.cancel();
    for (const { pidfd } of this.#waiters.values()) if (pidfd !== undefined) closeSync(pidfd);
    this.#waiters.clear();
  }

  #readAll(): void {
    for (const name of readdirSync(this.#folder).sort(newestFirst)) {
      if (this.#settling.has(name)) continue;
      const key = this.#waiters.has(name) ? name : keyOf({ pid: Number.parseInt(name, 10), startTicks: UNSEEN_START });
      const waiter = this.#waiters.get(key);
      if (!waiter) continue;
      const record = readExit(path.join(this.#folder, name));
      if (!record) continue;
      void this.#settle(name, () => this.#finish(key, waiter, record));
    }
  }

  async #settle(name: string, tell: () => void | Promise<void>): Promise<void> {
    this.#settling.add(name);
    await tell();
    this.#settling.delete(name);
    this.#remove(name);
  }

  #remove(name: string): void {
    rmSync(path.join(this.#folder, name), { force: true });
  }

  #pollOrphans(): void {
    const now = this.#clock.now();
    for (const [name, waiter] of this.#waiters) {
      if (waiter.pidfd !== undefined && !hasExited(waiter.pidfd)) continue;
      waiter.goneSince ??= now;
      if (now - waiter.goneSince < RECORD_GRACE_MS) continue;
      const known = waiter.pidfd === undefined ? undefined : foreignExitStatus(waiter.identity, waiter.pidfd);
      void this.#finish(name, waiter, { ...known, at: waiter.goneSince });
    }
  }

  #finish(name: string, waiter: Waiter, exit: Exit): void | Promise<void> {
    this.#waiters.delete(name);
    if (waiter.pidfd !== undefined) closeSync(waiter.pidfd);
    const { exitCode, signal, at } = exit;
    return waiter.onExit({ exitCode, signal, at });
  }
}

function keyOf({ pid, startTicks }: ProcessIdentity): string {
  return `${pid}-${startTicks}`;
}

/** Records of a pid by start time; those of different pids need no order. */
function newestFirst(left: string, right: string): number {
  const ticksOf = (name: string) => Number(name.split('-')[1]);
  return ticksOf(right) - ticksOf(left);
}

function readExit(file: string): ExitRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ExitRecord;
  } catch {
    // Half written: the rename that completes it wakes us again.
    return undefined;
  }
}
