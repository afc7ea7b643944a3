// Makes a fresh clone ready: npm packages (with the product's own Node among them). Plain JavaScript for the
// machine's Node 20, since nothing else is there yet. Idempotent: a stamp says for which lock file it was done.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptCommand, installPackages } from './apt.mjs';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Not `npm ci`: it refuses a lock file without the optional binaries of every other platform, and registries that
// mirror only some platforms never listed them. `install --no-save` follows the lock file and leaves it alone.
// Nothing needs an install script, and they would run on the product's own Node before it was seen to start.
const INSTALL = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Debian's and Ubuntu's packages of what the product's Node is linked to and a small machine may lack. */
const LIBRARY_PACKAGES = {
  'libatomic.so.1': 'libatomic1',
  'libstdc++.so.6': 'libstdc++6',
  'libgcc_s.so.1': 'libgcc-s1',
};

/** What the user can do something about: shown without a stack. */
class SetupError extends Error {}

const STAMP = path.join(ROOT, 'node_modules', '.pinnace-setup');

/** The product's own Node, a package of this tree. */
export function nodeBinary() {
  const name = `node-linux-${process.arch}`;
  const binary = path.join(ROOT, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  throw new SetupError(
    `no Node for ${process.platform}-${process.arch}: the package ${name} is missing (Linux on x64 or arm64 is needed)`,
  );
}

/** Small machines lack libraries that it is linked to: installs them, saying so first. */
function ensureNodeStarts() {
  const tried = new Set();
  for (;;) {
    const { status, stderr } = spawnSync(nodeBinary(), ['--version'], { encoding: 'utf8' });
    if (status === 0) return;
    const library = /loading shared libraries: ([^:]+):/.exec(stderr)?.[1] ?? '';
    const name = LIBRARY_PACKAGES[library];
    if (name === undefined || tried.has(name))
      throw new SetupError(`the product’s Node does not start on this machine: ${stderr.trim()}`);
    tried.add(name);
    console.error(`pinnace: the product’s Node needs ${library}, so this installs it: ${aptCommand(name)}`);
    const failure = installPackages(name);
    if (failure) throw new SetupError(`${failure.problem}\n         ${failure.cure}`);
  }
}

function wanted() {
  const hash = createHash('sha256').update(readFileSync(path.join(ROOT, 'package-lock.json')));
  return hash.update(process.arch).digest('hex');
}

export function isReady() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted();
}

/** Installs the packages when the lock file has changed since the last time. */
export function setup() {
  if (isReady()) return;
  console.error('pinnace: installing npm packages (once per lock file) …');
  const result = spawnSync('npm', INSTALL, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0)
    throw new SetupError(`npm install failed (exit code ${result.status}); is the package registry reachable?`);
  // Else `npm run` would put it before the machine's own Node, also where it does not start yet.
  rmSync(path.join(ROOT, 'node_modules', '.bin', 'node'), { force: true });
  ensureNodeStarts();
  writeFileSync(STAMP, wanted());
}

/** Does what needs a clone that is ready; a failure that has a cure is printed, and exits with 1. */
export function afterSetup(work) {
  try {
    setup();
    work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`pinnace: ${error.message}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) afterSetup(() => {});
