/**
 * The control process: `control --state-dir DIR`, started by the supervisor with the API's listener as descriptor 3.
 * API server, store, controllers and autoscaler run on this thread; the node agent on one of its own. SIGTERM ends it in
 * order, and leaves the containers running for the next one.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { createLogger, isLogLevel } from '#base/log.ts';
import { runControl } from '#main/control/run-control.ts';
import { processCommand } from '#main/launch/command.ts';
import { writeLog } from '#main/launch/output.ts';
import { VERSION } from '#main/launch/version.ts';
import { type PlatformSettings, statePaths } from '#protocol/platform.ts';
import { startDetached } from '#supervisor/heir.ts';
import { setProcessName } from '#sys/process.ts';

const { values } = parseArgs({ options: { 'state-dir': { type: 'string' } } });
const stateDir = values['state-dir'];
if (stateDir === undefined) throw new Error('usage: control --state-dir DIR');

const paths = statePaths(stateDir);
const settings = JSON.parse(readFileSync(paths.config, 'utf8')) as PlatformSettings;
const logger = createLogger({
  clock: systemClock,
  level: isLogLevel(settings.logLevel) ? settings.logLevel : 'info',
  fields: { process: 'control' },
  write: writeLog,
});
setProcessName('pinnace-control');

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());

const startSupervisor = () => startDetached(processCommand('supervisor', stateDir), paths);
await runControl({ settings, paths, clock: systemClock, logger, version: VERSION, startSupervisor }, stop.signal);
process.exit(0);
