/**
 * The supervisor process: `supervisor --state-dir DIR`, for a DIR whose `config.json` has been written. SIGTERM or
 * SIGINT stops the platform in order. When it cannot start it says why on standard error and in
 * `run/start-failure.json`, and exits with 1.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { createLogger, isLogLevel } from '#base/log.ts';
import { processCommand } from '#main/launch/command.ts';
import { writeLog } from '#main/launch/output.ts';
import { VERSION } from '#main/launch/version.ts';
import { type PlatformSettings, statePaths } from '#protocol/platform.ts';
import { StartError } from '#supervisor/errors.ts';
import { writeJson } from '#supervisor/state-file.ts';
import { runSupervisor } from '#supervisor/supervisor.ts';

const { values } = parseArgs({ options: { 'state-dir': { type: 'string' } } });
const stateDir = values['state-dir'];
if (stateDir === undefined) throw new Error('usage: supervisor --state-dir DIR');

const paths = statePaths(stateDir);
const settings = JSON.parse(readFileSync(paths.config, 'utf8')) as PlatformSettings;
const log = createLogger({
  clock: systemClock,
  level: isLogLevel(settings.logLevel) ? settings.logLevel : 'info',
  fields: { process: 'supervisor' },
  write: writeLog,
});

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());

mkdirSync(paths.run, { recursive: true, mode: 0o700 });
rmSync(paths.startFailure, { force: true });
try {
  const commands = { control: processCommand('control', stateDir), gateway: processCommand('gateway', stateDir) };
  await runSupervisor({ settings, paths, clock: systemClock, log, version: VERSION, commands }, stop.signal);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  writeJson(paths.startFailure, { message: error.message, cure: error.cure });
  log.error(error.message, error.cure === undefined ? {} : { cure: error.cure });
  process.exitCode = 1;
}
