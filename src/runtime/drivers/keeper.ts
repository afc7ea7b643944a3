/**
 * A keeper: a process that does nothing but hold one descriptor open, so that it outlives us as containers do. The
 * writing end of an input that must be able to end, and a container's terminal, are held so.
 *
 * It lives in a control group of its own below the platform's, which is its name: whoever comes later finds it
 * there, takes a copy of what it holds, or ends it. It is a shell that waits for ever at a FIFO that nobody writes.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { runWithStdio } from '#runtime/drivers/command.ts';
import { RuntimeError } from '#runtime/drivers/driver.ts';
import { type CgroupLayout, cgroupFolders } from '#sys/cgroup-layout.ts';
import { cgroupProcesses, type CgroupWait, killCgroup, removeCgroup } from '#sys/cgroup.ts';
import { mkfifo } from '#sys/fs.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { pidfdGetfd, pidfdOf } from '#sys/pidfd.ts';
import { type ProcessIdentity, processStat } from '#sys/proc.ts';

const SHELL = '/bin/sh';

/** What is kept is the keeper's 3; 4 tells that it stands, by being closed. */
const KEPT_FD = 3;
const SCRIPT = `
fifo=$1; shift
(for group; do echo 0 >"$group/cgroup.procs"; done 2>/dev/null; exec 4>&-; : <"$fifo") &
`;

export interface KeeperPlace {
  readonly layout: CgroupLayout;
  /** The control group that is its name. */
  readonly group: string;
  /** Told of the process before it is ended: the reaper will record its exit as it does those of containers. */
  readonly onEnd?: (keeper: ProcessIdentity) => void;
}

/** Starts one that holds `fd`; resolves once it can be found. @param fifo where it waits; made when missing. */
export async function startKeeper({ layout, group }: KeeperPlace, fd: number, fifo: string): Promise<void> {
  if (!existsSync(fifo)) mkfifo(fifo, 0o600);
  const folders = cgroupFolders(layout, group);
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const nothing = openSync('/dev/null', 'r+');
  try {
    const args = ['-c', SCRIPT, path.basename(group), fifo, ...folders];
    await runWithStdio({ executable: SHELL, args }, [nothing, nothing, nothing, fd]);
  } finally {
    closeSync(nothing);
  }
  if (cgroupProcesses(layout, group).length === 0) throw new RuntimeError('keep', `no process would stay in ${group}`);
}

export function hasKeeper({ layout, group }: KeeperPlace): boolean {
  return cgroupProcesses(layout, group).length > 0;
}

/** A copy of what the keeper holds, which the caller closes; undefined when there is none. */
export function keptDescriptor({ layout, group }: KeeperPlace): number | undefined {
  const [pid] = cgroupProcesses(layout, group);
  if (pid === undefined) return undefined;
  const stat = processStat(pid);
  const pidfd = stat && pidfdOf({ pid, startTicks: stat.startTicks });
  if (pidfd === undefined) return undefined;
  try {
    // The descriptor was opened first, so a number that is still in the group has not changed hands.
    return cgroupProcesses(layout, group).includes(pid) ? pidfdGetfd(pidfd, KEPT_FD) : undefined;
  } finally {
    closeDescriptor(pidfd);
  }
}

/** Ends it, and with it what it held unless somebody has a copy. Does nothing when there is none. */
export async function endKeeper({ layout, group, onEnd }: KeeperPlace, wait: CgroupWait): Promise<void> {
  if (!cgroupFolders(layout, group).some((folder) => existsSync(folder))) return;
  for (const pid of cgroupProcesses(layout, group)) {
    const stat = processStat(pid);
    if (stat) onEnd?.({ pid, startTicks: stat.startTicks });
  }
  await killCgroup(layout, group, wait);
  await removeCgroup(layout, group, wait);
}
