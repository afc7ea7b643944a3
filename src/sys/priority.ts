/**
 * How the processor is shared out among threads that want it at once. On Linux a nice value belongs to a thread, and
 * what a thread starts inherits it: so whoever starts processes for others goes back to `runOrdinarily` first.
 */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Nine times the share of an ordinary thread. */
const AHEAD = -10;
const ORDINARY = 0;

/** The calling thread, as Linux reads it. */
const THIS_THREAD = 0;

/**
 * The threads that this process has now, the engine's own among them, run before others that want the processor. Does
 * nothing without CAP_SYS_NICE.
 */
export function runAhead(): void {
  for (const thread of readdirSync('/proc/self/task')) setNice(Number(thread), AHEAD);
}

/** The calling thread, and what it starts from now on, is like any other on the machine. */
export function runOrdinarily(): void {
  setNice(THIS_THREAD, ORDINARY);
}

function setNice(thread: number, nice: number): void {
  try {
    setPriority(thread, nice);
  } catch (error) {
    // Not allowed, or the thread has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}
