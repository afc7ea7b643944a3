/**
 * Being the parent of processes that others started.
 *
 * A subreaper inherits the orphans among its descendants and must wait for them. `reapOrphans` waits for exactly
 * those: never for "any child", which would steal the exits of processes that Node itself started.
 */
import { bind, check } from '#sys/libc.ts';
import { ownChildren } from '#sys/own-children.ts';
import { childPids, processStat, type ProcessIdentity } from '#sys/proc.ts';

const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x1000000;
const P_PID = 1;
const CLD_EXITED = 1;
const SIGINFO_BYTES = 128;

const libc = bind({
  prctl: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'u64', 'u64'] },
  waitpid: { return: 'i32', arguments: ['i32', 'buffer', 'i32'] },
  waitid: { return: 'i32', arguments: ['i32', 'i32', 'buffer', 'i32'] },
});
const named = bind({ prctl: { return: 'i32', arguments: ['i32', 'string', 'u64', 'u64', 'u64'] } });

export interface ExitStatus {
  readonly exitCode?: number;
  /** The number of the signal that ended the process. */
  readonly signal?: number;
}

export interface OrphanExit extends ExitStatus, ProcessIdentity {}

/** From now on orphaned descendants become children of this process rather than of init. */
export function becomeSubreaper(): void {
  check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n), 'prctl');
}

/** Asks the kernel for `signal` when the thread that started this process ends; 0 asks no more. */
export function setParentDeathSignal(signal: number): void {
  check(libc.prctl(PR_SET_PDEATHSIG, BigInt(signal), 0n, 0n, 0n), 'prctl');
}

/** The name that ps and top show, cut at 15 bytes. */
export function setProcessName(name: string): void {
  check(named.prctl(PR_SET_NAME, name, 0n, 0n, 0n), 'prctl');
}

/** Reads a status word as wait(2) gives it; undefined for a process that has merely stopped or continued. */
export function parseWaitStatus(status: number): ExitStatus | undefined {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  return signal === 0x7f ? undefined : { signal };
}

/** How child `pid` ended, taking it from the process table; undefined while it runs or when it is no child. */
export function reap(pid: number): ExitStatus | undefined {
  const status = Buffer.alloc(4);
  if (libc.waitpid(pid, status, WNOHANG) !== pid) return undefined;
  return parseWaitStatus(status.readInt32LE(0));
}

/** How child `pid` ended, leaving it in the process table; undefined while it runs or when it is no child. */
function peek(pid: number): ExitStatus | undefined {
  const info = Buffer.alloc(SIGINFO_BYTES);
  if (libc.waitid(P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT) < 0) return undefined;
  const status = info.readInt32LE(24);
  if (info.readInt32LE(16) !== pid) return undefined;
  return info.readInt32LE(8) === CLD_EXITED ? { exitCode: status } : { signal: status };
}

/**
 * Waits for every child that has ended and that Node did not start. `record` sees each exit while it can still be
 * asked for again: whoever dies inside it loses nothing, and one that throws leaves the exit for the next call. False
 * when the call must be repeated soon, since Node is starting a process on some thread.
 */
export function reapOrphans(record: (exit: OrphanExit) => void): boolean {
  const pids = childPids();
  const isOwn = ownChildren();
  if (!isOwn) return false;
  for (const pid of pids) {
    const stat = processStat(pid);
    if (stat?.state !== 'Z' || isOwn(stat)) continue;
    const status = peek(pid);
    if (!status) continue;
    record({ pid, startTicks: stat.startTicks, ...status });
    reap(pid);
  }
  return true;
}

/** Calls `listener` after one or more children changed state; the answer stops it. */
export function onChildSignal(listener: () => void): Disposable {
  process.on('SIGCHLD', listener);
  return { [Symbol.dispose]: () => void process.off('SIGCHLD', listener) };
}
