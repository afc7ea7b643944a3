/** What this machine must have for a platform to run, each with what to do where it is missing. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { installedRuntimes, chooseRuntime } from '#runtime/drivers/choose.ts';
import { HOSTS_FILE } from '#runtime/hosts/hosts-file.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';

/** Images, layers and logs of a small service need about this much. */
const MIN_FREE_BYTES = 512 * 1024 * 1024;

export interface Finding {
  readonly name: string;
  /** `warning`: the platform runs, but something will not work. */
  readonly result: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly cure?: string;
}

/** In the order in which a user would put things right. */
export async function checkPreconditions(stateDir: string, signal: AbortSignal): Promise<Finding[]> {
  return [root(), cgroups(), await ociRuntime(signal), overlayfs(), namespaces(), disk(stateDir), hostsFile()];
}

function root(): Finding {
  const name = 'root';
  const uid = process.geteuid?.();
  if (uid === 0) return { name, result: 'ok', detail: 'runs as root' };
  const cure = 'run it with sudo: networks, mounts and control groups need root';
  return { name, result: 'failed', detail: `runs as user ${uid ?? 'unknown'}`, cure };
}

function cgroups(): Finding {
  const name = 'control groups';
  const layout = detectCgroups();
  if (layout) return { name, result: 'ok', detail: `version ${layout.version}` };
  const cure = 'mount them: mount -t cgroup2 none /sys/fs/cgroup';
  return { name, result: 'failed', detail: 'none are mounted below /sys/fs/cgroup', cure };
}

async function ociRuntime(signal: AbortSignal): Promise<Finding> {
  const name = 'OCI runtime';
  const isHybridCgroups = detectCgroups()?.version === 'hybrid';
  const chosen = await chooseRuntime({ isHybridCgroups }, signal);
  if (chosen) return { name, result: 'ok', detail: `${chosen.version} (${chosen.executable})` };
  const cure = 'install runc: apt-get install runc';
  const installed = await installedRuntimes(signal);
  if (installed.length === 0) return { name, result: 'failed', detail: 'neither crun nor runc is installed', cure };
  return { name, result: 'failed', detail: 'crun cannot use the hybrid control groups of this machine', cure };
}

function overlayfs(): Finding {
  const name = 'overlayfs';
  if (/^nodev\toverlay$/m.test(readText('/proc/filesystems'))) return { name, result: 'ok', detail: 'in the kernel' };
  const cure = 'load it: modprobe overlay';
  return { name, result: 'failed', detail: 'the kernel does not offer it', cure };
}

function namespaces(): Finding {
  const name = 'namespaces';
  const missing = ['net', 'mnt', 'pid', 'ipc', 'uts'].filter((kind) => !existsSync(`/proc/self/ns/${kind}`));
  if (missing.length === 0) return { name, result: 'ok', detail: 'network, mount, pid, ipc, uts' };
  const cure = 'use a kernel that is built with them, as those of Debian and Ubuntu are';
  return { name, result: 'failed', detail: `the kernel lacks: ${missing.join(', ')}`, cure };
}

function disk(stateDir: string): Finding {
  const name = 'disk space';
  const folder = nearestFolder(stateDir);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const detail = `${Math.floor(free / 1024 ** 2)} MiB free in ${folder}`;
  if (free >= MIN_FREE_BYTES) return { name, result: 'ok', detail };
  return { name, result: 'warning', detail, cure: 'make room, or choose another place with --state-dir' };
}

function hostsFile(): Finding {
  const name = 'names';
  if (isWritable(HOSTS_FILE)) return { name, result: 'ok', detail: `${HOSTS_FILE} can be written` };
  const cure = `make it writable, or use --no-hosts and send requests with a Host header`;
  return {
    name,
    result: 'warning',
    detail: `${HOSTS_FILE} cannot be written: hosts of Services will not resolve`,
    cure,
  };
}

function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
