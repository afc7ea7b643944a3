/**
 * Mounting and unmounting.
 *
 * An overlay goes through mount(2) while its options fit one page, which every kernel takes, and through the newer
 * file-system calls, one layer a call, when they do not (kernel 6.5 and later). Option values are escaped, so a path
 * with a comma, colon or backslash mounts what it names.
 */
import { AT_FDCWD, bind, check, closeDescriptor, SYSCALL } from '#sys/libc.ts';
import { hasCode } from '#sys/errors.ts';

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MNT_DETACH = 2;

/** What mount(2) takes as options: one page, with its NUL. */
const MAX_OPTION_BYTES = 4_095;

const FSOPEN_CLOEXEC = 1n;
const FSMOUNT_CLOEXEC = 1n;
const FSCONFIG_SET_STRING = 1n;
const FSCONFIG_CMD_CREATE = 6n;
const MOVE_MOUNT_F_EMPTY_PATH = 4n;

const libc = bind({
  mount: { return: 'i32', arguments: ['string', 'string', 'pointer', 'u64', 'pointer'] },
  umount2: { return: 'i32', arguments: ['string', 'i32'] },
});
const { syscall: callWithText } = bind({
  syscall: { return: 'i32', arguments: ['i64', 'i64', 'i64', 'pointer', 'pointer', 'i64'] },
});
const { syscall: openFilesystem } = bind({ syscall: { return: 'i32', arguments: ['i64', 'string', 'i64'] } });
const { syscall: makeMount } = bind({ syscall: { return: 'i32', arguments: ['i64', 'i64', 'i64', 'i64'] } });
const { syscall: attachMount } = bind({
  syscall: { return: 'i32', arguments: ['i64', 'i64', 'string', 'i64', 'string', 'i64'] },
});

export interface MountOptions {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: number;
  readonly options?: string;
}

export function mount({ source, target, type, flags = 0, options }: MountOptions): void {
  check(libc.mount(source, target, type ?? null, BigInt(flags), options ?? null), 'mount', target);
}

/** Shows `source` at `target` too; read-only takes a second call, since the kernel ignores it in the first. */
export function bindMount(source: string, target: string, options: { flags?: number; recursive?: boolean } = {}): void {
  mount({ source, target, flags: MS_BIND | (options.recursive ? MS_REC : 0) });
  if (options.flags) mount({ source: 'none', target, flags: MS_BIND | MS_REMOUNT | options.flags });
}

/** Detaches at once; the kernel finishes when nothing uses it any more. False when nothing was mounted there. */
export function unmount(target: string): boolean {
  const result = libc.umount2(target, MNT_DETACH);
  try {
    check(result, 'umount2', target);
    return true;
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'ENOENT')) return false;
    throw error;
  }
}

export interface OverlayOptions {
  readonly target: string;
  /** From the top down; at least one. */
  readonly lower: readonly string[];
  /** Both or none: without them the mount is read-only. */
  readonly upper?: string;
  readonly work?: string;
  readonly flags?: number;
}

export function mountOverlay(overlay: OverlayOptions): void {
  const options = overlayOptions(overlay);
  if (Buffer.byteLength(options) > MAX_OPTION_BYTES) mountOverlayByLayer(overlay);
  else mount({ source: 'overlay', target: overlay.target, type: 'overlay', flags: overlay.flags ?? 0, options });
}

/** The option string of mount(2). */
export function overlayOptions({ lower, upper, work }: OverlayOptions): string {
  const layers = `lowerdir=${lower.map((layer) => escapeOption(layer).replaceAll(':', String.raw`\:`)).join(':')}`;
  if (upper === undefined || work === undefined) return layers;
  return `${layers},upperdir=${escapeOption(upper)},workdir=${escapeOption(work)}`;
}

function escapeOption(value: string): string {
  return value.replaceAll('\\', String.raw`\\`).replaceAll(',', String.raw`\,`);
}

function mountOverlayByLayer({ target, lower, upper, work, flags = 0 }: OverlayOptions): void {
  const call = BigInt(SYSCALL.fsopen);
  const filesystem = check(openFilesystem(call, 'overlay', FSOPEN_CLOEXEC), 'fsopen', target);
  try {
    for (const layer of lower) configure(filesystem, 'lowerdir+', layer);
    if (upper !== undefined) configure(filesystem, 'upperdir', upper);
    if (work !== undefined) configure(filesystem, 'workdir', work);
    const create = callWithText(BigInt(SYSCALL.fsconfig), BigInt(filesystem), FSCONFIG_CMD_CREATE, null, null, 0n);
    check(create, 'fsconfig', target);
    attach(filesystem, target, flags);
  } finally {
    closeDescriptor(filesystem);
  }
}

function configure(filesystem: number, key: string, value: string): void {
  const call = BigInt(SYSCALL.fsconfig);
  check(callWithText(call, BigInt(filesystem), FSCONFIG_SET_STRING, key, value, 0n), 'fsconfig', value);
}

function attach(filesystem: number, target: string, flags: number): void {
  // MOUNT_ATTR_RDONLY, NOSUID, NODEV and NOEXEC have the values of their MS_ namesakes.
  const made = makeMount(BigInt(SYSCALL.fsmount), BigInt(filesystem), FSMOUNT_CLOEXEC, BigInt(flags));
  const mounted = check(made, 'fsmount', target);
  try {
    const [call, here] = [BigInt(SYSCALL.moveMount), BigInt(AT_FDCWD)];
    check(attachMount(call, BigInt(mounted), '', here, target, MOVE_MOUNT_F_EMPTY_PATH), 'move_mount', target);
  } finally {
    closeDescriptor(mounted);
  }
}
