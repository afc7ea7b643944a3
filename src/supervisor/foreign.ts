/**
 * Exits of containers that are nobody's children here. A supervisor that replaced another is no ancestor of theirs:
 * when it loses a control that it adopted, control's containers become init's; when a supervisor dies, those that it
 * had inherited do, and a living control looks after them. Exit codes come from the process table or, once init has
 * waited, from the kernel (6.15 and later; before that the record may say only that the process ended).
 *
 * Such containers are found in the platform's control group: the processes there whose parent is outside of it. One
 * that ends in the milliseconds between its parent's death and the scan leaves no record.
 */
import { closeSync } from 'node:fs';
import type { Timer } from '#base/clock.ts';
import { recordExit, type ReaperOptions } from '#supervisor/reaper.ts';
import { cgroupProcesses } from '#sys/cgroup.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';
import { foreignExitStatus, pidfdOf, watchExit } from '#sys/pidfd.ts';
import { processStat, type ProcessIdentity } from '#sys/proc.ts';
import type { ExitStatus } from '#sys/process.ts';

/** Between an end and its exit code lies the parent's wait; this is how often and how long it is looked for. */
const STATUS_POLL_MS = 5;
const STATUS_WAIT_MS = 1_000;

export interface ForeignOptions extends ReaperOptions {
  readonly cgroup: string;
  /** Processes that record their children's exits themselves. */
  readonly parents: () => ReadonlySet<number>;
}

interface Watched {
  readonly pidfd: number;
  readonly watch: Disposable;
  timer?: Timer;
}

export class ForeignExits implements Disposable {
  readonly #options: ForeignOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: ForeignOptions) {
    this.#options = options;
  }

  /** Looks for containers that are not watched yet. */
  scan(): void {
    const layout = detectCgroups();
    if (!layout) return;
    const pids = new Set(cgroupProcesses(layout, this.#options.cgroup));
    const parents = this.#options.parents();
    for (const pid of pids) {
      const stat = processStat(pid);
      if (!stat || pids.has(stat.parent) || parents.has(stat.parent)) continue;
      this.#watch({ pid, startTicks: stat.startTicks });
    }
  }

  [Symbol.dispose](): void {
    for (const key of this.#watched.keys()) this.#forget(key);
  }

  #watch(identity: ProcessIdentity): void {
    const key = `${identity.pid}-${identity.startTicks}`;
    if (this.#watched.has(key)) return;
    const pidfd = pidfdOf(identity);
    if (pidfd === undefined) return;
    const deadline = () => this.#options.clock.monotonicMs() + STATUS_WAIT_MS;
    const watch = watchExit(pidfd, () => this.#onEnd(key, identity, deadline()), { unref: true });
    this.#watched.set(key, { pidfd, watch });
  }

  #onEnd(key: string, identity: ProcessIdentity, deadline: number): void {
    const watched = this.#watched.get(key);
    if (!watched) return;
    const status = foreignExitStatus(identity, watched.pidfd);
    const { clock } = this.#options;
    if (status === undefined && clock.monotonicMs() < deadline) {
      watched.timer = clock.after(STATUS_POLL_MS, () => this.#onEnd(key, identity, deadline), { unref: true });
      return;
    }
    this.#forget(key);
    this.#record(identity, status ?? {});
  }

  #record(identity: ProcessIdentity, status: ExitStatus): void {
    try {
      recordExit(this.#options, identity, status);
    } catch (error) {
      this.#options.log.error('an exit could not be recorded', { pid: identity.pid, error });
    }
  }

  #forget(key: string): void {
    const watched = this.#watched.get(key);
    this.#watched.delete(key);
    watched?.timer?.cancel();
    watched?.watch[Symbol.dispose]();
    if (watched) closeSync(watched.pidfd);
  }
}
