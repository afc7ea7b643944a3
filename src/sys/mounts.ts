/**
 * What is mounted, from /proc/self/mountinfo.
 */
import { readFileSync } from 'node:fs';
import { unmount } from '#sys/mount.ts';

export interface MountInfo {
  readonly id: number;
  readonly parentId: number;
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap(parseLine);
}

/** `36 35 98:0 /root /target rw,noatime shared:1 - ext4 /dev/sda1 rw`; any number of fields before the dash. */
function parseLine(line: string): MountInfo[] {
  const [before = '', after = ''] = line.split(' - ');
  const [id = '', parentId = '', , root = '', target = '', options = ''] = before.split(' ');
  const [type = '', source = '', superOptions = ''] = after.split(' ');
  if (type === '') return [];
  return [
    {
      id: Number(id),
      parentId: Number(parentId),
      root: unescape(root),
      target: unescape(target),
      options: options.split(','),
      type,
      source: unescape(source),
      superOptions: superOptions.split(','),
    },
  ];
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export function readMounts(): MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mounts at `folder` and below, in the order in which they were made. */
export function mountsBelow(folder: string, mounts: readonly MountInfo[] = readMounts()): MountInfo[] {
  const inside = folder.endsWith('/') ? folder : `${folder}/`;
  return mounts.filter(({ target }) => target === folder || target.startsWith(inside));
}

/** Detaches all mounts at `folder` and below, the last made first; answers how many there were. */
export function unmountBelow(folder: string): number {
  return mountsBelow(folder)
    .reverse()
    .filter(({ target }) => unmount(target)).length;
}
