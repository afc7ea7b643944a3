/**
 * Makes this process the parent of containers whose starter has ended, and records how each of them ends as a file
 * `DIR/run/exits/PID-TICKS`. The file is there before the process leaves the table, so a death at any point loses no
 * exit and repeats none but with the same content.
 *
 * The supervisor runs it, and so does control on its main thread: then containers are control's as long as it lives
 * and the supervisor's when it dies, and neither's death alone makes them init's.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ExitRecord, StatePaths } from '#protocol/platform.ts';
import { writeJson } from '#supervisor/state-file.ts';
import type { ProcessIdentity } from '#sys/proc.ts';
import { becomeSubreaper, type ExitStatus, onChildSignal, reapOrphans } from '#sys/process.ts';

/** Exits that could not be written (a full disk) are tried again this often. */
const RETRY_MS = 1_000;

export interface ReaperOptions {
  readonly paths: Pick<StatePaths, 'exits'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Until disposed of; a subreaper remains one. */
export function startReaper(options: ReaperOptions): Disposable {
  mkdirSync(options.paths.exits, { recursive: true, mode: 0o700 });
  becomeSubreaper();
  const reap = () => {
    try {
      reapOrphans((exit) => recordExit(options, exit, exit));
    } catch (error) {
      options.log.error('an exit could not be recorded yet', { error });
      options.clock.after(RETRY_MS, reap, { unref: true });
    }
  };
  const watch = onChildSignal(reap);
  reap();
  return watch;
}

export function recordExit({ paths, clock, log }: ReaperOptions, who: ProcessIdentity, status: ExitStatus): void {
  const { pid, startTicks } = who;
  const { exitCode, signal } = status;
  const record: ExitRecord = { pid, startTicks, exitCode, signal, at: clock.now() };
  writeJson(path.join(paths.exits, `${pid}-${startTicks}`), record);
  log.debug('exit recorded', { ...record });
}
