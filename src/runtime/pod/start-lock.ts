/**
 * One start of a container at a time, also across agents. The lock is an flock that the runtime's process inherits:
 * an agent that dies leaves it to the runtime, which holds it until the start is through, and the next agent waits for
 * that before it looks at what is there.
 */
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { tryLock } from '#sys/fs.ts';

/** A runtime that takes longer is stuck; the start fails and is tried again later. */
const WAIT_LIMIT_MS = 30_000;
const POLL_MS = 5;

export interface StartLock extends Disposable {
  /** For the runtime to inherit. */
  readonly fd: number;
}

export async function lockStart(file: string, clock: Clock, signal: AbortSignal): Promise<StartLock> {
  const fd = openSync(file, 'a', 0o600);
  try {
    const deadline = clock.monotonicMs() + WAIT_LIMIT_MS;
    while (!tryLock(fd)) {
      if (clock.monotonicMs() > deadline) throw new Error('an earlier start of the container does not come to its end');
      await clock.sleep(POLL_MS, signal);
    }
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
