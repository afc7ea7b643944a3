// The door of every `npm run …`: makes the clone ready with whatever Node is there, then hands over to
// `commands.mjs` on the product's own Node.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { nodeBinary, ROOT, setup } from './setup.mjs';

setup();
const commands = path.join(ROOT, 'scripts', 'commands.mjs');
const { status, error } = spawnSync(nodeBinary(), [commands, ...process.argv.slice(2)], { stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
