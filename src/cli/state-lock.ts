/** One `up` or `down` at a time per state directory: an flock on the directory itself, so no file is left behind. */
import { closeSync, openSync } from 'node:fs';
import type { CliContext } from '#cli/context.ts';
import { tryLock } from '#sys/fs.ts';

const POLL_MS = 20;

/** Waits until nobody else works on the directory, saying so once. */
export async function withStateLock<T>(
  { clock, out, signal }: Pick<CliContext, 'clock' | 'out' | 'signal'>,
  stateDir: string,
  work: () => Promise<T>,
): Promise<T> {
  const fd = openSync(stateDir, 'r');
  try {
    if (!tryLock(fd)) out.note(`another pinnace command works on ${stateDir}: waiting`);
    while (!tryLock(fd)) await clock.sleep(POLL_MS, signal);
    return await work();
  } finally {
    closeSync(fd);
  }
}
