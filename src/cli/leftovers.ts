/**
 * What is on this machine of the platform in a state directory, whether it runs or not: the judge of `down --purge`.
 * It looks at the machine itself and asks nothing of the platform.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { HOSTS_FILE } from '#runtime/hosts/hosts-file.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { cgroupFolders, detectCgroups } from '#sys/cgroup-layout.ts';
import { mountsBelow } from '#sys/mounts.ts';

/** What is looked for, in the plural. */
export const LEFTOVER_KINDS = [
  'processes',
  'mounts',
  'network interfaces',
  'control groups',
  'lines in /etc/hosts',
  'files',
] as const;

export interface Leftover {
  readonly kind: (typeof LEFTOVER_KINDS)[number];
  readonly name: string;
}

/** Empty when nothing is. */
export function findLeftovers(stateDir: string): Leftover[] {
  const { bridge, cgroup, instance } = planNetwork({ stateDir, taken: [] });
  const found: Record<Leftover['kind'], readonly string[]> = {
    processes: processesNaming(stateDir),
    mounts: mountsBelow(stateDir).map(({ target }) => target),
    'network interfaces': readdirSync('/sys/class/net').filter((name) => name.startsWith(bridge)),
    'control groups': controlGroups(cgroup),
    'lines in /etc/hosts': readFileSync(HOSTS_FILE, 'utf8').includes(instance) ? [HOSTS_FILE] : [],
    files: existsSync(stateDir) ? [stateDir] : [],
  };
  return LEFTOVER_KINDS.flatMap((kind) => found[kind].map((name) => ({ kind, name })));
}

function controlGroups(name: string): string[] {
  const layout = detectCgroups();
  return layout ? cgroupFolders(layout, `/${name}`).filter((folder) => existsSync(folder)) : [];
}

/** Whose command line has an argument that is the directory or below it. */
function processesNaming(stateDir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({ pid, words: commandLine(pid) }))
    .filter(({ words }) => words.some((word) => word === stateDir || word.startsWith(`${stateDir}/`)))
    .map(({ pid, words }) => `${pid} (${words.join(' ')})`);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
