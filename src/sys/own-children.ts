/**
 * Which children of this process Node started, on whatever thread: everything else among its children is an orphan
 * that it inherited. Whoever waits for orphans must never take the exit of one of Node's, or its thread waits forever.
 *
 * Node announces each ChildProcess on a diagnostics channel before it forks, on the thread that does. A table in
 * shared memory, which every thread reaches through Node's environment data, holds the pids; a counter says that a
 * fork is under way whose pid is not in the table yet. It works on threads that load this module before they start
 * anything; `spawnSync` announces nothing and must not be used in a process that reaps.
 */
import { subscribe } from 'node:diagnostics_channel';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { processStat, type ProcessIdentity } from '#sys/proc.ts';

/** With more children than this at once, orphans are left alone until there are fewer. */
const MAX_CHILDREN = 2_048;
const ENTRY_INTS = 2;
const RESERVED = -1;
const KEY = 'pinnace.own-children';

/** Index 0: forks under way. Then a pid and the low bits of its start time per child; a pid of 0 is a free entry. */
const table = new Int32Array(sharedTable());

function sharedTable(): SharedArrayBuffer {
  const shared = getEnvironmentData(KEY);
  if (shared instanceof SharedArrayBuffer) return shared;
  const fresh = new SharedArrayBuffer((1 + MAX_CHILDREN * ENTRY_INTS) * Int32Array.BYTES_PER_ELEMENT);
  // A thread whose main thread does not know of it can only keep a table of its own.
  if (isMainThread) setEnvironmentData(KEY, fresh);
  return fresh;
}

/** What is used of Node's ChildProcess. */
interface StartedChild {
  readonly pid?: number;
  once(event: 'exit', listener: () => void): unknown;
}

subscribe('child_process', (message) => register((message as { process: StartedChild }).process));

function register(child: StartedChild): void {
  Atomics.add(table, 0, 1);
  // By then the constructor's caller has forked, or failed to.
  queueMicrotask(() => {
    const stat = child.pid === undefined ? undefined : processStat(child.pid);
    const entry = stat ? enter(stat) : undefined;
    const isFull = stat !== undefined && entry === undefined;
    if (!isFull) Atomics.sub(table, 0, 1);
    child.once('exit', () => {
      if (entry !== undefined) Atomics.store(table, entry, 0);
      if (isFull) Atomics.sub(table, 0, 1);
    });
  });
}

function enter({ pid, startTicks }: ProcessIdentity): number | undefined {
  for (let entry = 1; entry < table.length; entry += ENTRY_INTS) {
    if (Atomics.compareExchange(table, entry, 0, RESERVED) !== 0) continue;
    Atomics.store(table, entry + 1, startTicks | 0);
    Atomics.store(table, entry, pid);
    return entry;
  }
  return undefined;
}

/**
 * Tells own children apart in a list of children read before this call; undefined while a fork is under way, since
 * its child may be in that list.
 */
export function ownChildren(): ((identity: ProcessIdentity) => boolean) | undefined {
  if (Atomics.load(table, 0) > 0) return undefined;
  const own = new Map<number, number>();
  for (let entry = 1; entry < table.length; entry += ENTRY_INTS) {
    const pid = Atomics.load(table, entry);
    if (pid > 0) own.set(pid, Atomics.load(table, entry + 1));
  }
  return ({ pid, startTicks }) => own.get(pid) === (startTicks | 0);
}
