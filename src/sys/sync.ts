/** Writing a whole file system back: what Node's fsync does for one file only. */
import { closeSync, openSync } from 'node:fs';
import { bind, check } from '#sys/libc.ts';

const libc = bind({ syncfs: { return: 'i32', arguments: ['i32'] } });

/** Returns once everything written to the file system of `path` so far is on its disk. May take long. */
export function syncFilesystem(path: string): void {
  const fd = openSync(path, 'r');
  try {
    check(libc.syncfs(fd), 'syncfs', path);
  } finally {
    closeSync(fd);
  }
}
