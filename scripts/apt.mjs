// Installs packages of the distribution, where root and apt-get are there and PINNACE_NO_INSTALL does not forbid it.
// Plain JavaScript for the machine's own Node, since the product's Node may be what cannot start yet. Never asks
// anything, and prints nothing itself.
import { spawnSync } from 'node:child_process';

const OUTPUT_LIMIT = 16 * 1024 * 1024;
/** Set to anything but 0, nothing but npm packages in the clone is installed. */
const FORBIDDEN = 'PINNACE_NO_INSTALL';
const NO_APT = 'there is no apt-get, so this is neither Debian nor Ubuntu';
const NO_NETWORK = /resolv|connect|unreachable|timed out/i;

/** The command that a person would type. */
export function aptCommand(...names) {
  return `apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/** Undefined unless the user forbade to install anything, then why not. */
export function whyForbidden() {
  return ['', '0'].includes(process.env[FORBIDDEN] ?? '') ? undefined : `${FORBIDDEN} is set`;
}

/** Undefined where packages can be installed, else why not. */
export function whyNotInstall() {
  const ban = whyForbidden();
  if (ban !== undefined) return ban;
  if (process.geteuid?.() !== 0) return 'only root can install packages';
  if (apt(['--version']).isMissing) return NO_APT;
  return undefined;
}

/** Undefined when all are installed now, else why not and what to do about it. */
export function installPackages(...names) {
  const what = names.join(' ');
  const hindrance = whyNotInstall();
  if (hindrance !== undefined) {
    const byHand = `install it by hand, as root: ${aptCommand(...names)}`;
    const cure = hindrance === NO_APT ? 'install it with this system’s package manager' : byHand;
    return { problem: `${what} cannot be installed: ${hindrance}`, cure };
  }
  if (apt(['install', ...names]).isDone) return undefined;
  // A fresh machine has no package lists yet, an old one has lists of packages that are gone.
  const update = apt(['update']);
  const second = apt(['install', ...names]);
  if (second.isDone) return undefined;
  const complaints = [...second.errors, ...update.errors, ...update.warnings];
  const offline = complaints.find((line) => NO_NETWORK.test(line));
  return {
    problem: `apt-get could not install ${what}: ${offline ?? complaints[0] ?? 'it does not say why'}`,
    cure: `${offline === undefined ? '' : 'look after this machine’s network, or '}install it by hand: ${aptCommand(...names)}`,
  };
}

/** The versions that could be installed, by package; those that the distribution does not have are not in it. */
export function candidates(...names) {
  const found = readCandidates(names);
  if (found.size === names.length) return found;
  apt(['update']);
  return readCandidates(names);
}

function readCandidates(names) {
  const { stdout } = apt(['policy', ...names], 'apt-cache');
  const entries = stdout.matchAll(/^(\S+):\n(?: .*\n)*? +Candidate: (\S+)/gm);
  return new Map(
    [...entries].filter(([, , version]) => version !== '(none)').map(([, name, version]) => [name, version]),
  );
}

const OPTIONS = {
  install: ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
};

function apt([verb, ...names], program = 'apt-get') {
  const { status, error, stdout, stderr } = spawnSync(program, [verb, ...(OPTIONS[verb] ?? []), ...names], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: OUTPUT_LIMIT,
  });
  const lines = `${stderr ?? ''}${stdout ?? ''}`.split('\n');
  const saying = (mark) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length).trim());
  // A list that could not be fetched is a warning to apt.
  return {
    isDone: status === 0,
    isMissing: error?.code === 'ENOENT',
    errors: saying('E:'),
    warnings: saying('W:'),
    stdout: stdout ?? '',
  };
}
