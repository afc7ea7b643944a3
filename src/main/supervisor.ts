/**
 * The supervisor process: `supervisor --state-dir DIR`, for a DIR whose `config.json` has been written. SIGTERM or
 * SIGINT stops the platform in order. When it cannot start it says why on standard error and in
 * `run/start-failure.json`, and exits with 1.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { systemClock } from '#base/clock.ts';
import { processCommand } from '#main/launch/command.ts';
import { ownProcess } from '#main/launch/own-process.ts';
import { VERSION } from '#main/launch/version.ts';
import { StartError } from '#supervisor/errors.ts';
import { writeJson } from '#supervisor/state-file.ts';
import { runSupervisor } from '#supervisor/supervisor.ts';
import { runOrdinarily } from '#sys/priority.ts';

const { stateDir, paths, settings, log, stop } = ownProcess('supervisor');
// Control may have started us, whose thread runs ahead of others.
runOrdinarily();

mkdirSync(paths.run, { recursive: true, mode: 0o700 });
rmSync(paths.startFailure, { force: true });
try {
  const commands = { control: processCommand('control', stateDir), gateway: processCommand('gateway', stateDir) };
  await runSupervisor({ settings, paths, clock: systemClock, log, version: VERSION, commands }, stop);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  writeJson(paths.startFailure, { message: error.message, cure: error.cure });
  log.error(error.message, error.cure === undefined ? {} : { cure: error.cure });
  process.exitCode = 1;
}
