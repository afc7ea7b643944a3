/**
 * File access relative to an open directory, for trees whose names and links a stranger chose.
 *
 * The pattern: open the root once, open each entry's parent with `openBeneath` or `openInRoot`, and act on the last
 * name only, with the calls below, none of which follows a link there. However the tree changes meanwhile, nothing
 * outside the root can be reached. Needs kernel 5.6.
 */
import { constants } from 'node:fs';
import { bind, check, errno, O_CLOEXEC, O_PATH, SYSCALL } from '#sys/libc.ts';

const RESOLVE_NO_MAGICLINKS = 2n;
const RESOLVE_NO_SYMLINKS = 4n;
const RESOLVE_BENEATH = 8n;
const RESOLVE_IN_ROOT = 16n;
const OPEN_HOW_BYTES = 24;
const AT_SYMLINK_NOFOLLOW = 0x100;

/** Flags for a directory that is only used to reach its entries. */
export const DIRECTORY_FLAGS = O_PATH | constants.O_DIRECTORY;

const { syscall: openat2 } = bind({
  syscall: { return: 'i32', arguments: ['i64', 'i64', 'string', 'buffer', 'u64'] },
});
const libc = bind({
  mkdirat: { return: 'i32', arguments: ['i32', 'string', 'u32'] },
  unlinkat: { return: 'i32', arguments: ['i32', 'string', 'i32'] },
  symlinkat: { return: 'i32', arguments: ['string', 'i32', 'string'] },
  linkat: { return: 'i32', arguments: ['i32', 'string', 'i32', 'string', 'i32'] },
  fchownat: { return: 'i32', arguments: ['i32', 'string', 'u32', 'u32', 'i32'] },
  utimensat: { return: 'i32', arguments: ['i32', 'string', 'buffer', 'i32'] },
});

const EAGAIN = 11;
/** Somebody who mounts without end is not waited for. */
const MAX_ATTEMPTS = 1_000;

/** A name as text, or as bytes that end in NUL where it is not UTF-8. */
export type EntryName = string | Buffer;

/** The name for messages. */
export function nameText(name: EntryName): string {
  return typeof name === 'string' ? name : name.toString('utf8', 0, Math.max(0, name.length - 1));
}

export interface OpenOptions {
  /** As for open(2); close-on-exec is added. */
  readonly flags: number;
  /** Permission bits of a file that is created. */
  readonly mode?: number;
}

/** Opens `name` below `dirfd`; a link anywhere on the way (ELOOP) or a way out (EXDEV) fails. */
export function openBeneath(dirfd: number, name: EntryName, options: OpenOptions): number {
  return openWith(dirfd, name, { ...options, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
}

/** Opens `name` as a process would see it whose root is `dirfd`: links are followed and cannot leave. */
export function openInRoot(dirfd: number, name: EntryName, options: OpenOptions): number {
  return openWith(dirfd, name, { ...options, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS });
}

function openWith(dirfd: number, name: EntryName, options: OpenOptions & { resolve: bigint }): number {
  const { flags, mode = 0, resolve } = options;
  const how = Buffer.alloc(OPEN_HOW_BYTES);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(resolve, 16);
  const open = () => openat2(BigInt(SYSCALL.openat2), BigInt(dirfd), name, how, BigInt(how.length));
  let result = open();
  // The kernel cannot vouch for a `..` while anybody on the machine mounts or renames something: openat2(2), EAGAIN.
  for (let attempt = 1; result < 0 && errno() === EAGAIN && attempt < MAX_ATTEMPTS; attempt += 1) result = open();
  return check(result, 'openat2', nameText(name));
}

export function makeDirectoryAt(dirfd: number, name: EntryName, mode: number): void {
  check(libc.mkdirat(dirfd, name, mode), 'mkdirat', nameText(name));
}

export function removeFileAt(dirfd: number, name: EntryName): void {
  check(libc.unlinkat(dirfd, name, 0), 'unlinkat', nameText(name));
}

export function symlinkAt(target: EntryName, dirfd: number, name: EntryName): void {
  check(libc.symlinkat(target, dirfd, name), 'symlinkat', nameText(name));
}

/** A second name for an existing entry; a link is linked, not followed. */
export function linkAt(from: { dirfd: number; name: EntryName }, to: { dirfd: number; name: EntryName }): void {
  check(libc.linkat(from.dirfd, from.name, to.dirfd, to.name, 0), 'linkat', nameText(from.name));
}

/** Sets the owner of an entry, of a link itself too. */
export function ownAt(dirfd: number, name: EntryName, ids: { uid: number; gid: number }): void {
  check(libc.fchownat(dirfd, name, ids.uid, ids.gid, AT_SYMLINK_NOFOLLOW), 'fchownat', nameText(name));
}

/** Sets both times of an entry, of a link itself too, in ms since the epoch. */
export function setTimesAt(dirfd: number, name: EntryName, timeMs: number): void {
  const seconds = Math.floor(timeMs / 1_000);
  const nanoseconds = Math.floor((timeMs - seconds * 1_000) * 1_000_000);
  const times = Buffer.alloc(32);
  for (const offset of [0, 16]) {
    times.writeBigInt64LE(BigInt(seconds), offset);
    times.writeBigInt64LE(BigInt(nanoseconds), offset + 8);
  }
  check(libc.utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW), 'utimensat', nameText(name));
}
