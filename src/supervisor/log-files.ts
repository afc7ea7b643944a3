/**
 * Keeps the logs of our processes from growing without end: a file past its limit is copied to `<name>.1` and emptied
 * in place, which its writer, who appends, does not notice. What is written between copy and cut is lost.
 */
import { copyFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { hasCode } from '#sys/errors.ts';

const LOG_LIMIT_BYTES = 16 * 1024 * 1024;
const CHECK_PERIOD_MS = 30_000;

export function startLogRotation(folder: string, { clock, log }: { clock: Clock; log: Logger }): Disposable {
  const timer = clock.every(CHECK_PERIOD_MS, () => {
    try {
      rotateLogs(folder, LOG_LIMIT_BYTES);
    } catch (error) {
      log.warn('a log could not be rotated', { error });
    }
  });
  return timer;
}

export function rotateLogs(folder: string, limitBytes: number): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (!name.endsWith('.log') || statSync(file).size <= limitBytes) continue;
    try {
      copyFileSync(file, `${file}.1`);
    } catch (error) {
      // What fills the disk goes, whether there is room to keep it or not.
      if (!hasCode(error, 'ENOSPC')) throw error;
      rmSync(`${file}.1`, { force: true });
    }
    truncateSync(file);
  }
}
