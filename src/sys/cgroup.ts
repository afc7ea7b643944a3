/**
 * Control groups that an OCI runtime made: what they use, and stopping, killing and removing all that is in them.
 *
 * Every call takes a group by its path (see `cgroup-layout.ts`), includes the groups below it, and takes a missing
 * group for an empty one. The files answer from memory, so reads are synchronous; what the kernel does in its own
 * time (freezing, dying, letting go of a folder) is waited for with a limit.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { type CgroupLayout, cgroupFolders, controllerFolder } from '#sys/cgroup-layout.ts';
import { hasCode } from '#sys/errors.ts';
import { parsePids } from '#sys/proc.ts';

const POLL_MS = 2;
/** How long freezing, killing and removing may take the kernel. */
const CGROUP_WAIT_MS = 5_000;
const SIGKILL = 9;

export interface CgroupUsage {
  /** Processor time used since the group was made, in ns. */
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
  /** Memory without the file cache that could be dropped at once. */
  readonly workingSetBytes: number;
  /** How many processes the kernel killed for want of memory. */
  readonly oomKills: number;
}

/** Undefined when the group does not exist. */
export function cgroupUsage(layout: CgroupLayout, cgroup: string): CgroupUsage | undefined {
  const memory = controllerFolder(layout, 'memory', cgroup);
  if (memory === undefined || !existsSync(memory)) return undefined;
  const isV2 = layout.version === 'v2';
  const used = Number(read(path.join(memory, isV2 ? 'memory.current' : 'memory.usage_in_bytes')) ?? 0);
  const stat = keyed(read(path.join(memory, 'memory.stat')));
  const inactive = stat.get(isV2 ? 'inactive_file' : 'total_inactive_file') ?? 0;
  const events = keyed(read(path.join(memory, isV2 ? 'memory.events' : 'memory.oom_control')));
  return {
    cpuNanoseconds: cpuTime(layout, cgroup),
    memoryBytes: used,
    workingSetBytes: Math.max(0, used - inactive),
    oomKills: events.get('oom_kill') ?? 0,
  };
}

function cpuTime(layout: CgroupLayout, cgroup: string): number {
  const folder = controllerFolder(layout, 'cpuacct', cgroup);
  if (folder === undefined) return 0;
  if (layout.version !== 'v2') return Number(read(path.join(folder, 'cpuacct.usage')) ?? 0);
  return (keyed(read(path.join(folder, 'cpu.stat'))).get('usage_usec') ?? 0) * 1_000;
}

/** All processes of the group and of those below it, each once. */
export function cgroupProcesses(layout: CgroupLayout, cgroup: string): number[] {
  const folders = cgroupFolders(layout, cgroup).flatMap(withBelow);
  return [...new Set(folders.flatMap((folder) => parsePids(read(path.join(folder, 'cgroup.procs')))))];
}

/** Stops every process of the group; resolves when all have stopped. */
export async function freezeCgroup(layout: CgroupLayout, cgroup: string, wait: CgroupWait): Promise<void> {
  const freezer = freezerOf(layout, cgroup);
  if (!existsSync(freezerFolder(layout, cgroup))) return;
  // A v1 group that did not get all its processes stays FREEZING until it is asked again.
  await until(wait, `freezing ${cgroup}`, () => {
    freezer.write('freeze');
    return freezer.isFrozen();
  });
}

/** Lets the processes of the group run again. */
export function thawCgroup(layout: CgroupLayout, cgroup: string): void {
  freezerOf(layout, cgroup).write('thaw');
}

export interface CgroupWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Kills every process of the group, frozen or forking, and resolves when none is left. */
export async function killCgroup(layout: CgroupLayout, cgroup: string, wait: CgroupWait): Promise<void> {
  await until(wait, `killing the processes of ${cgroup}`, () => {
    const killFile = layout.unified === undefined ? undefined : path.join(layout.unified, cgroup, 'cgroup.kill');
    if (killFile !== undefined && existsSync(killFile)) write(killFile, '1');
    const pids = cgroupProcesses(layout, cgroup);
    for (const pid of pids) kill(pid);
    for (const folder of freezerFolders(layout, cgroup)) freezerIn(layout, folder).write('thaw');
    return pids.length === 0;
  });
}

/** Removes the group and those below it from every tree, once their last process is gone. */
export async function removeCgroup(layout: CgroupLayout, cgroup: string, wait: CgroupWait): Promise<void> {
  await until(wait, `removing ${cgroup}`, () => {
    const folders = cgroupFolders(layout, cgroup).flatMap(withBelow);
    return folders.reverse().every(removeFolder);
  });
}

interface Freezer {
  write(wish: 'freeze' | 'thaw'): void;
  isFrozen(): boolean;
}

function freezerOf(layout: CgroupLayout, cgroup: string): Freezer {
  return freezerIn(layout, freezerFolder(layout, cgroup));
}

function freezerIn(layout: CgroupLayout, folder: string): Freezer {
  if (layout.controllers.has('freezer')) {
    const state = path.join(folder, 'freezer.state');
    return {
      write: (wish) => write(state, wish === 'freeze' ? 'FROZEN' : 'THAWED'),
      isFrozen: () => read(state)?.trim() === 'FROZEN',
    };
  }
  return {
    write: (wish) => write(path.join(folder, 'cgroup.freeze'), wish === 'freeze' ? '1' : '0'),
    isFrozen: () => keyed(read(path.join(folder, 'cgroup.events'))).get('frozen') === 1,
  };
}

function freezerFolder(layout: CgroupLayout, cgroup: string): string {
  return path.join(layout.controllers.get('freezer') ?? layout.unified ?? '', cgroup);
}

function freezerFolders(layout: CgroupLayout, cgroup: string): string[] {
  return withBelow(freezerFolder(layout, cgroup));
}

async function until({ clock, signal }: CgroupWait, what: string, attempt: () => boolean): Promise<void> {
  const deadline = clock.monotonicMs() + CGROUP_WAIT_MS;
  while (!attempt()) {
    if (clock.monotonicMs() > deadline) throw new Error(`${what} took longer than ${CGROUP_WAIT_MS} ms`);
    await clock.sleep(POLL_MS, signal);
  }
}

/** `folder` and all folders below it, parents first; none when it does not exist. */
function withBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [folder, ...entries.flatMap(({ name }) => withBelow(path.join(folder, name)))];
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}

function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, SIGKILL);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // ENODEV: the group went away between open and read.
    if (hasCode(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'r+' });
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENODEV')) throw error;
  }
}

/** The numbers of a file with a `key number` a line. */
function keyed(text: string | undefined): Map<string, number> {
  const pairs = (text ?? '').split('\n').map((line) => line.split(' '));
  return new Map(pairs.map(([key = '', value]) => [key, Number(value)]));
}
