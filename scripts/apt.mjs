// Installs a package of the distribution, where root and apt-get are there. Plain JavaScript for the machine's own
// Node, since the product's Node may be what cannot start yet. Never asks anything, and prints nothing itself.
import { spawnSync } from 'node:child_process';

const OUTPUT_LIMIT = 16 * 1024 * 1024;
const NO_NETWORK = /resolv|connect|unreachable|timed out/i;

/** The command that a person would type. */
export function aptCommand(name) {
  return `apt-get install -y --no-install-recommends ${name}`;
}

/** Undefined when the package is installed now, else why not and what to do about it. */
export function installPackage(name) {
  if (process.geteuid?.() !== 0) return { problem: `only root can install ${name}`, cure: `sudo ${aptCommand(name)}` };
  const first = apt(['install', name]);
  if (first.isMissing) {
    return {
      problem: `${name} cannot be installed: there is no apt-get, so this is neither Debian nor Ubuntu`,
      cure: `install ${name} with this system’s package manager`,
    };
  }
  if (first.isDone) return undefined;
  // A fresh machine has no package lists yet, an old one has lists of packages that are gone.
  const update = apt(['update']);
  const second = apt(['install', name]);
  if (second.isDone) return undefined;
  const complaints = [...second.errors, ...update.errors, ...update.warnings];
  const offline = complaints.find((line) => NO_NETWORK.test(line));
  return {
    problem: `apt-get could not install ${name}: ${offline ?? complaints[0] ?? 'it does not say why'}`,
    cure: `${offline === undefined ? '' : 'look after this machine’s network, or '}install it by hand: ${aptCommand(name)}`,
  };
}

const OPTIONS = {
  install: ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
  update: [],
};

function apt([verb, ...names]) {
  const { status, error, stdout, stderr } = spawnSync('apt-get', [verb, ...OPTIONS[verb], ...names], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: OUTPUT_LIMIT,
  });
  const lines = `${stderr ?? ''}${stdout ?? ''}`.split('\n');
  const saying = (mark) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length).trim());
  // A list that could not be fetched is a warning to apt.
  return { isDone: status === 0, isMissing: error?.code === 'ENOENT', errors: saying('E:'), warnings: saying('W:') };
}
