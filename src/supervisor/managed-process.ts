/**
 * One of the supervisor's two charges: started here, or adopted from a supervisor that died. It is watched through a
 * pidfd in either case, so that both end the same way.
 *
 *     start / adopt ─▶ running ──ended──▶ start (at once, or after a delay when it keeps crashing)
 *                         └── stop ─▶ SIGTERM ─▶ ended, or SIGKILL after its grace
 *
 * Its output goes to a file, never to a pipe whose reader may die before it.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ProcessState, StatePaths } from '#protocol/platform.ts';
import { CHILD_FDS, type Listener } from '#supervisor/listeners.ts';
import { decideRestart } from '#supervisor/restart-policy.ts';
import { findRole, type Role, ROLE_FD, takeLock } from '#supervisor/roles.ts';
import { pidfdOf, pidfdSendSignal, watchExit } from '#sys/pidfd.ts';
import { identityOf, type ProcessIdentity } from '#sys/proc.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ManagedProcessOptions {
  readonly role: Role;
  readonly command: Command;
  readonly paths: StatePaths;
  readonly listeners: readonly Listener[];
  readonly clock: Clock;
  readonly log: Logger;
  /** How often earlier supervisors of this boot started it again. */
  readonly restarts: number;
  /** Told after every start and end. */
  readonly onChange: () => void;
  /** Told when an adopted process, not a child of ours, ended. */
  readonly onForeignEnd: () => void;
}

interface Running {
  readonly identity: ProcessIdentity;
  readonly pidfd: number;
  readonly watch: Disposable;
  readonly since: number;
  readonly startedMs: number;
  readonly isOwn: boolean;
}

/** How often a lock is looked at whose holder is on its way out. */
const HANDOVER_POLL_MS = 5;
const SIGTERM = 15;
const SIGKILL = 9;

export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  #running: Running | undefined;
  #restarts: number;
  #fastCrashes = 0;
  #isStopping = false;
  #retry: Timer | undefined;
  #ended = Promise.withResolvers<void>();

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
    this.#restarts = options.restarts;
  }

  get role(): Role {
    return this.#options.role;
  }

  get state(): ProcessState | undefined {
    if (!this.#running) return undefined;
    const { identity, since } = this.#running;
    return { name: this.#options.role, ...identity, restarts: this.#restarts, since };
  }

  /** Adopts the process that has the role, or starts one. */
  begin(living: ProcessIdentity | undefined, since?: number): void {
    if (living && this.#adopt(living, since)) return;
    const lock = takeLock(this.#options.paths, this.#options.role);
    if (lock !== undefined) return this.#start(lock);
    const holder = findRole(this.#options.paths, this.#options.role, undefined);
    // Without a holder it is dying this very moment, and its lock about to be free.
    if (!holder || !this.#adopt(holder)) this.#later(HANDOVER_POLL_MS);
  }

  /** Ends it for good; resolves when it is gone, which after `graceMs` the kernel sees to. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#retry?.cancel();
    const running = this.#running;
    if (!running) return;
    pidfdSendSignal(running.pidfd, SIGTERM);
    const kill = this.#options.clock.after(graceMs, () => {
      this.#options.log.warn('did not stop in time', { role: this.#options.role, graceMs });
      if (this.#running) pidfdSendSignal(this.#running.pidfd, SIGKILL);
    });
    await this.#ended.promise;
    kill.cancel();
  }

  #adopt(identity: ProcessIdentity, since: number = this.#options.clock.now()): boolean {
    const isThere = this.#watch(identity, { isOwn: false, since });
    if (isThere) this.#options.log.info('adopted', { role: this.#options.role, pid: identity.pid });
    return isThere;
  }

  /** The new process inherits `lock`, which is its role. */
  #start(lock: number): void {
    const { command, role, log } = this.#options;
    const output = openSync(path.join(this.#options.paths.log, `${role}.log`), 'a', 0o600);
    try {
      const child = spawn(command.file, command.args, { env: { ...command.env }, stdio: this.#stdio(output, lock) });
      child.on('error', (error) => log.error('could not be started', { role, error }));
      const identity = child.pid === undefined ? undefined : identityOf(child.pid);
      if (identity && this.#watch(identity, { isOwn: true, since: this.#options.clock.now() })) {
        log.info('started', { role, pid: identity.pid, restarts: this.#restarts });
      } else {
        this.#again(0);
      }
    } finally {
      closeSync(output);
      closeSync(lock);
    }
  }

  #stdio(output: number, lock: number): ('ignore' | number)[] {
    const { role, listeners } = this.#options;
    const stdio: ('ignore' | number)[] = ['ignore', output, output];
    for (const { name, fd } of listeners) stdio[CHILD_FDS[role][name]] = fd;
    stdio[ROLE_FD] = lock;
    return stdio;
  }

  /** False when the process is gone already. */
  #watch(identity: ProcessIdentity, { isOwn, since }: Pick<Running, 'isOwn' | 'since'>): boolean {
    const pidfd = pidfdOf(identity);
    if (pidfd === undefined) return false;
    const watch = watchExit(pidfd, () => this.#onEnd());
    this.#running = { identity, pidfd, watch, since, isOwn, startedMs: this.#options.clock.monotonicMs() };
    this.#options.onChange();
    return true;
  }

  #onEnd(): void {
    const running = this.#running;
    if (!running) return;
    const { role, clock, log } = this.#options;
    running.watch[Symbol.dispose]();
    closeSync(running.pidfd);
    this.#running = undefined;
    const livedMs = clock.monotonicMs() - running.startedMs;
    log[this.#isStopping ? 'info' : 'warn']('ended', { role, pid: running.identity.pid, livedMs });
    if (!running.isOwn) this.#options.onForeignEnd();
    if (this.#isStopping) this.#ended.resolve();
    else this.#again(livedMs);
    this.#options.onChange();
  }

  #again(livedMs: number): void {
    const { delayMs, fastCrashes } = decideRestart(livedMs, this.#fastCrashes);
    this.#fastCrashes = fastCrashes;
    this.#restarts += 1;
    if (delayMs === 0) this.begin(undefined);
    else this.#later(delayMs);
  }

  #later(delayMs: number): void {
    if (this.#isStopping) return;
    this.#retry = this.#options.clock.after(delayMs, () => this.begin(undefined));
  }
}
