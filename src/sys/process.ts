/**
 * Being the parent of processes that others started.
 *
 * A subreaper inherits the orphans among its descendants and must wait for them, but never for a process that Node
 * itself started, whose watcher would wait forever. The kernel gives orphans to the main thread and keeps children by
 * the thread that forked them, so the children of worker threads are never in question; those of the main thread are
 * announced by Node on a diagnostics channel, from the moment on that this module is loaded, or added by who spawned
 * them. (`spawnSync` is over before anybody looks.)
 */
import { subscribe } from 'node:diagnostics_channel';
import { isMainThread } from 'node:worker_threads';
import { assert } from '#base/assert.ts';
import { bind, check } from '#sys/libc.ts';
import { childPids, processStat, type ProcessIdentity } from '#sys/proc.ts';

const PR_SET_NAME = 15;
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x1000000;
/** Children of other threads are left to them. */
const WNOTHREAD = 0x20000000;
const P_ALL = 0;
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

interface Ended {
  readonly pid: number;
  readonly status: ExitStatus;
}

/**
 * A child of this thread that has ended, or how child `pid` has, leaving it in the process table; undefined when there
 * is none.
 */
function peek(pid?: number): Ended | undefined {
  const info = Buffer.alloc(SIGINFO_BYTES);
  const flags = WEXITED | WNOHANG | WNOWAIT | WNOTHREAD;
  if (libc.waitid(pid === undefined ? P_ALL : P_PID, pid ?? 0, info, flags) < 0) return undefined;
  const ended = info.readInt32LE(16);
  const status = info.readInt32LE(24);
  if (ended === 0) return undefined;
  return { pid: ended, status: info.readInt32LE(8) === CLD_EXITED ? { exitCode: status } : { signal: status } };
}

/** What is used of Node's ChildProcess. */
interface StartedChild {
  readonly pid?: number;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
}

const started = new Set<WeakRef<StartedChild>>();
subscribe('child_process', (message) => {
  started.add(new WeakRef((message as { process: StartedChild }).process));
});

const spawned = new Set<number>();

/** Until disposed of, `pid` is a child that somebody on this thread waits for. */
export function addOwnChild(pid: number): Disposable {
  spawned.add(pid);
  return { [Symbol.dispose]: () => void spawned.delete(pid) };
}

/** The pids of the children that Node, or `spawnProcess`, started on this thread and has not yet seen ending. */
function ownPids(): Set<number> {
  const pids = new Set<number>(spawned);
  for (const reference of started) {
    const child = reference.deref();
    const isRunning = child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
    if (isRunning && child.pid !== undefined) pids.add(child.pid);
    else started.delete(reference);
  }
  return pids;
}

/**
 * Waits for every child of the main thread that has ended and that nobody waits for; main thread only. `record`
 * sees each exit while it can still be asked for again: whoever dies inside it loses nothing, and one that throws
 * leaves the exit for the next call.
 */
export function reapOrphans(record: (exit: OrphanExit) => void): void {
  assert(isMainThread, 'orphans belong to the main thread');
  // Most signals are of a child that another thread has waited for by now.
  if (!peek()) return;
  const own = ownPids();
  for (const child of childPids()) {
    const ended = own.has(child) ? undefined : peek(child);
    const stat = ended && processStat(child);
    if (!stat) continue;
    record({ pid: child, startTicks: stat.startTicks, ...ended.status });
    reap(child);
  }
}

/** Calls `listener` after one or more children changed state; the answer stops it. */
export function onChildSignal(listener: () => void): Disposable {
  process.on('SIGCHLD', listener);
  return { [Symbol.dispose]: () => void process.off('SIGCHLD', listener) };
}
