/**
 * What Node's fs lacks: device nodes and FIFOs, atomic swaps, locks and pipe sizes.
 */
import { bind, check, AT_FDCWD, SYSCALL } from '#sys/libc.ts';
import { type EntryName, nameText } from '#sys/directory.ts';
import { hasCode } from '#sys/errors.ts';

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCK = 4;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;

const libc = bind({
  flock: { return: 'i32', arguments: ['i32', 'i32'] },
  fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
});
const { syscall: makeNode } = bind({ syscall: { return: 'i32', arguments: ['i64', 'i64', 'string', 'u64', 'u64'] } });

export interface DeviceNode {
  readonly kind: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
}

/** Makes a device node below `dirfd` (or at an absolute path). `mode` holds permission bits and is subject to umask. */
export function mknod(name: EntryName, mode: number, device: DeviceNode, dirfd: number = AT_FDCWD): void {
  const type = device.kind === 'character' ? S_IFCHR : S_IFBLK;
  makeNodeAt({ name, mode: type | mode, device: encodeDevice(device), dirfd });
}

export function mkfifo(name: EntryName, mode: number, dirfd: number = AT_FDCWD): void {
  makeNodeAt({ name, mode: S_IFIFO | mode, device: 0, dirfd });
}

/** The kernel's 32-bit form of a device number. */
export function encodeDevice({ major, minor }: Pick<DeviceNode, 'major' | 'minor'>): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function makeNodeAt({ name, mode, device, dirfd }: { name: EntryName; mode: number; device: number; dirfd: number }) {
  const call = BigInt(SYSCALL.mknodat);
  check(makeNode(call, BigInt(dirfd), name, BigInt(mode), BigInt(device)), 'mknod', nameText(name));
}

/**
 * Locks the open file without waiting; false when somebody else holds it. The lock belongs to the open file, so it
 * is shared by whoever inherits the descriptor and goes when the last of them closes it or dies.
 */
export function tryLock(fd: number, mode: 'exclusive' | 'shared' = 'exclusive'): boolean {
  const operation = mode === 'exclusive' ? LOCK_EXCLUSIVE : LOCK_SHARED;
  const result = libc.flock(fd, operation | LOCK_NONBLOCK);
  try {
    check(result, 'flock');
    return true;
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EWOULDBLOCK')) return false;
    throw error;
  }
}

/** Asks for a pipe (or FIFO) of at least `bytes`; answers what it got. */
export function setPipeSize(fd: number, bytes: number): number {
  return check(libc.fcntl(fd, F_SETPIPE_SZ, bytes), 'fcntl');
}

export function pipeSize(fd: number): number {
  return check(libc.fcntl(fd, F_GETPIPE_SZ, 0), 'fcntl');
}
