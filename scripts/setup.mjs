// Makes a fresh clone ready: npm packages (with the product's own Node among them). Plain JavaScript for the
// machine's Node 20, since nothing else is there yet. Idempotent: a stamp says for which lock file it was done.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Not `npm ci`: it refuses a lock file without the optional binaries of every other platform, and registries that
// mirror only some platforms never listed them. `install --no-save` follows the lock file and leaves it alone.
const INSTALL = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];

const STAMP = path.join(ROOT, 'node_modules', '.pinnace-setup');

/** The product's own Node, a package of this tree. */
export function nodeBinary() {
  const name = `node-linux-${process.arch}`;
  const binary = path.join(ROOT, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  throw new Error(
    `no Node for ${process.platform}-${process.arch}: the package ${name} is missing (Linux on x64 or arm64 is needed)`,
  );
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
    throw new Error(`npm install failed (exit code ${result.status}); is the package registry reachable?`);
  nodeBinary();
  writeFileSync(STAMP, wanted());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
