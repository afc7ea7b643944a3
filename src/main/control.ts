/**
 * The control process: `control --state-dir DIR`, started by the supervisor with the API's listener as descriptor 3.
 * API server, store, controllers and autoscaler run on this thread; the node agent on one of its own. SIGTERM ends it in
 * order, and leaves the containers running for the next one.
 */
import { systemClock } from '#base/clock.ts';
import { runControl } from '#main/control/run-control.ts';
import { processCommand } from '#main/launch/command.ts';
import { ownProcess } from '#main/launch/own-process.ts';
import { VERSION } from '#main/launch/version.ts';
import { startDetached } from '#supervisor/heir.ts';
import { runAhead } from '#sys/priority.ts';
import { setProcessName } from '#sys/process.ts';

const { stateDir, paths, settings, log: logger, stop } = ownProcess('control');
setProcessName('pinnace-control');
runAhead();

const startSupervisor = () => startDetached(processCommand('supervisor', stateDir), paths);
await runControl({ settings, paths, clock: systemClock, logger, version: VERSION, startSupervisor }, stop);
process.exit(0);
