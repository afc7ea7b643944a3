/** The `pinnace` command. */
import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { createOutput } from '#cli/output.ts';
import { runProgram } from '#cli/program.ts';
import { processCommand } from '#main/launch/command.ts';
import { VERSION } from '#main/launch/version.ts';

/** Whatever the user's shell says: what is made for containers must be theirs to read. Each secret has a mode of its own. */
const UMASK = 0o022;
// All our processes have it from this one.
process.umask(UMASK);

const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
process.on('SIGTERM', () => stop.abort());

const context = {
  clock: systemClock,
  logger: createLogger({
    clock: systemClock,
    level: 'warn',
    fields: { process: 'pinnace' },
    write: (line) => void process.stderr.write(`${line}\n`),
  }),
  out: createOutput({
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    hasColour: process.stdout.isTTY && !process.env['NO_COLOR'],
  }),
  version: VERSION,
  env: process.env,
  supervisorCommand: (stateDir: string) => processCommand('supervisor', stateDir),
  signal: stop.signal,
};
// Not process.exit: output to a pipe may still be on its way.
process.exitCode = await runProgram(context, process.argv.slice(2));
