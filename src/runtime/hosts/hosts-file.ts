/**
 * Changes one platform's block in /etc/hosts while holding a lock on the file, so that two platforms never lose each
 * other's lines. The new content replaces the file by rename; where that is impossible (a bind mount, as in
 * containers) it is written in place.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#sys/errors.ts';
import { tryLock } from '#sys/fs.ts';
import { type HostsBlock, withBlock, withoutBlock } from '#runtime/hosts/block.ts';

export const HOSTS_FILE = '/etc/hosts';

/** How long another platform may hold the lock, and how often it is tried meanwhile. */
const LOCK_WAIT_MS = 5_000;
const LOCK_RETRY_MS = 5;

export interface HostsFileOptions {
  readonly clock: Clock;
  readonly file?: string;
}

export function writeHosts(options: HostsFileOptions, block: HostsBlock, signal: AbortSignal): Promise<void> {
  return change(options, signal, (text) => withBlock(text, block));
}

export function removeHosts(options: HostsFileOptions, instance: string, signal: AbortSignal): Promise<void> {
  return change(options, signal, (text) => withoutBlock(text, instance));
}

async function change(
  { clock, file = HOSTS_FILE }: HostsFileOptions,
  signal: AbortSignal,
  edit: (text: string) => string,
): Promise<void> {
  if (!existsSync(file)) return;
  const deadline = clock.monotonicMs() + LOCK_WAIT_MS;
  for (;;) {
    const fd = openSync(file, constants.O_RDWR);
    try {
      // After a rename by another platform the lock is on a file that is no longer /etc/hosts: look again.
      if (tryLock(fd) && isStill(file, fd)) return replace(file, fd, edit);
    } finally {
      closeSync(fd);
    }
    if (clock.monotonicMs() > deadline) throw new Error(`${file} stayed locked for ${LOCK_WAIT_MS} ms`);
    await clock.sleep(LOCK_RETRY_MS, signal);
  }
}

function isStill(file: string, fd: number): boolean {
  const now = openSync(file, constants.O_RDONLY);
  try {
    return fstatSync(now).ino === fstatSync(fd).ino;
  } finally {
    closeSync(now);
  }
}

function replace(file: string, fd: number, edit: (text: string) => string): void {
  // Ours alone, by the lock; one that is there is of a process that was killed.
  const temporary = `${file}.pinnace`;
  rmSync(temporary, { force: true });
  const before = readFileSync(file, 'utf8');
  const after = edit(before);
  if (after === before) return;
  try {
    const copy = openSync(temporary, 'w', 0o600);
    const { mode, uid, gid } = fstatSync(fd);
    try {
      writeFileSync(copy, after);
      fchmodSync(copy, mode);
      fchownSync(copy, uid, gid);
    } finally {
      closeSync(copy);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (!hasCode(error, 'EBUSY', 'EXDEV', 'EROFS', 'EACCES')) throw error;
    writeFileSync(file, after);
  }
}
