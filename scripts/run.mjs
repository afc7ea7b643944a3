// The door of every `npm run …`: makes the clone ready with whatever Node is there, then hands over to
// `commands.mjs` on the product's own Node, and passes on whatever asks it to stop.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { afterSetup, nodeBinary, ROOT } from './setup.mjs';

afterSetup(run);

function run() {
  const commands = path.join(ROOT, 'scripts', 'commands.mjs');
  const args = ['--disable-warning=ExperimentalWarning', commands, ...process.argv.slice(2)];
  const child = spawn(nodeBinary(), args, { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself as well; what it does about it is its own affair, so this waits for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
