/** What each process of ours begins with: its platform's settings, a log of its own, and the wish that it stop. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { createLogger, isLogLevel, type Logger } from '#base/log.ts';
import type { ProcessName } from '#main/launch/command.ts';
import { writeLog } from '#main/launch/output.ts';
import { type PlatformSettings, type StatePaths, statePaths } from '#protocol/platform.ts';

export interface OwnProcess {
  readonly stateDir: string;
  readonly paths: StatePaths;
  readonly settings: PlatformSettings;
  readonly log: Logger;
  /** Aborts on SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
}

/** Of the command line `NAME --state-dir DIR`, for a DIR whose `config.json` has been written. */
export function ownProcess(name: ProcessName): OwnProcess {
  const { values } = parseArgs({ options: { 'state-dir': { type: 'string' } } });
  const stateDir = values['state-dir'];
  if (stateDir === undefined) throw new Error(`usage: ${name} --state-dir DIR`);
  const paths = statePaths(stateDir);
  const settings = JSON.parse(readFileSync(paths.config, 'utf8')) as PlatformSettings;
  const level = isLogLevel(settings.logLevel) ? settings.logLevel : 'info';
  const log = createLogger({ clock: systemClock, level, fields: { process: name }, write: writeLog });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  return { stateDir, paths, settings, log, stop: stop.signal };
}
