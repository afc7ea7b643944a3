/**
 * The store's lock, between processes and within one: adding content takes it shared, removing content exclusive,
 * so nothing that was just found can be taken away. The kernel releases it when its holder dies.
 */
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { STORE_LOCK_TIMEOUT_MS } from '#runtime/image/limits.ts';
import type { StoreLayout } from '#runtime/image/store/layout.ts';
import { tryLock } from '#sys/fs.ts';

const RETRY_MS = 20;

export interface LockRequest {
  readonly mode: 'shared' | 'exclusive';
  /** How long to wait; 0 answers at once. */
  readonly timeoutMs?: number;
}

/** Held until disposed of. Throws `Busy` when it cannot be had in time. */
export function lockStore(
  layout: StoreLayout,
  clock: Clock,
  request: LockRequest,
  signal: AbortSignal,
): Promise<Disposable> {
  return lockFile(layout.lock, clock, request, signal);
}

/** The same by a file of its own. */
export async function lockFile(
  file: string,
  clock: Clock,
  request: LockRequest,
  signal: AbortSignal,
): Promise<Disposable> {
  const { mode, timeoutMs = STORE_LOCK_TIMEOUT_MS } = request;
  const deadline = clock.monotonicMs() + timeoutMs;
  const fd = openSync(file, 'a', 0o600);
  try {
    while (!tryLock(fd, mode)) {
      if (clock.monotonicMs() >= deadline)
        throw new ImageError('Busy', 'the image store is in use by another operation');
      await clock.sleep(RETRY_MS, signal);
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}
