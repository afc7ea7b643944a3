/**
 * Who is who, by locks on files: a lock is held for exactly as long as a process has the descriptor, so it tells the
 * truth also when `platform.json` was not written any more.
 *
 * The supervisor holds `locks/supervisor.lock`; a child inherits, as descriptor `ROLE_FD`, the lock on `locks/<name>.lock`
 * that its supervisor took for it. Whoever starts a supervisor holds `locks/heir.lock` meanwhile.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { PlatformState, ProcessState, StatePaths } from '#protocol/platform.ts';
import { tryLock } from '#sys/fs.ts';
import { fileHolders } from '#sys/owner.ts';
import { identityOf, isRunning, type ProcessIdentity } from '#sys/proc.ts';

/** A look (`findRole`) takes far less than all of these together. */
const LOCK_ATTEMPTS = 10;
const LOCK_PAUSE_MS = 5;

export type Role = 'control' | 'gateway';
export const ROLES: readonly Role[] = ['control', 'gateway'];

/** The descriptor by which a child holds its role. */
export const ROLE_FD = 7;

type LockName = Role | 'supervisor' | 'heir';

function lockFile(paths: Pick<StatePaths, 'locks'>, name: LockName): string {
  return path.join(paths.locks, `${name}.lock`);
}

/** The descriptor that holds the lock; undefined when somebody else does. */
export function takeLock(paths: Pick<StatePaths, 'locks'>, name: LockName): number | undefined {
  const fd = openSync(lockFile(paths, name), 'a', 0o600);
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return undefined;
}

/** Takes the lock although somebody may just be looking whether it is held; undefined when it really is. */
export async function takeLockPatiently(
  paths: Pick<StatePaths, 'locks'>,
  name: LockName,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const lock = takeLock(paths, name);
    if (lock !== undefined || attempt === LOCK_ATTEMPTS) return lock;
    await clock.sleep(LOCK_PAUSE_MS, signal);
  }
}

/** The running process that has `role`, be it known from the last report or only by its lock. */
export function findRole(
  paths: Pick<StatePaths, 'locks'>,
  name: LockName & ProcessState['name'],
  last: PlatformState | undefined,
): ProcessIdentity | undefined {
  const probe = takeLock(paths, name);
  if (probe !== undefined) {
    closeSync(probe);
    return undefined;
  }
  const reported = last?.processes.find((one) => one.name === name);
  if (reported && isRunning(reported)) return { pid: reported.pid, startTicks: reported.startTicks };
  const holder = fileHolders(lockFile(paths, name)).find(({ pid }) => pid !== process.pid);
  return holder && identityOf(holder.pid);
}
