/**
 * Who a container runs as: the image's `USER`, by number or by name in the image's own /etc/passwd and /etc/group,
 * or the Pod's `runAsUser` and `runAsGroup`. The files are a stranger's: they are read within the root, as plain
 * files of bounded size, and lines that make no sense are passed over.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ImageError, limitExceeded } from '#runtime/image/errors.ts';
import { MAX_ACCOUNT_FILE_BYTES } from '#runtime/image/limits.ts';
import { DIRECTORY_FLAGS, openInRoot } from '#sys/directory.ts';
import { hasCode } from '#sys/errors.ts';

/** `USER` taken apart, without looking into the image: what `runAsNonRoot` is decided by. */
export interface ImageUser {
  /** Absent when the user is given by name. */
  readonly uid?: number;
  readonly name?: string;
  readonly group: string;
}

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** Groups that list the user as a member. */
  readonly additionalGids: readonly number[];
  /** From /etc/passwd; `/` where it has none. */
  readonly home: string;
  readonly name: string | undefined;
}

export interface RunAsRequest {
  /** The image's `USER`. */
  readonly user: string;
  readonly runAsUser?: number | undefined;
  readonly runAsGroup?: number | undefined;
}

const MAX_ID = 2 ** 31 - 1;
const PASSWD_FIELDS = 7;

export function parseImageUser(user: string): ImageUser {
  const colon = user.indexOf(':');
  const name = colon < 0 ? user : user.slice(0, colon);
  const group = colon < 0 ? '' : user.slice(colon + 1);
  if (name === '') return { uid: 0, group };
  const uid = idOf(name);
  return uid === undefined ? { name, group } : { uid, group };
}

/** `root` is the directory that the container will have as its root, mounted. */
export function resolveUser(root: string, { user, runAsUser, runAsGroup }: RunAsRequest): RunAs {
  const wanted = runAsUser === undefined ? parseImageUser(user) : { uid: runAsUser, group: '' };
  const accounts = readAccounts(root);
  const account = accounts.users.find((entry) => isAccount(entry, wanted));
  const uid = wanted.uid ?? account?.uid;
  if (uid === undefined) {
    throw new ImageError('MalformedImage', `unable to find user ${wanted.name}: no matching entries in passwd file`);
  }
  const gid = runAsGroup ?? groupOf(accounts.groups, wanted.group) ?? account?.gid ?? 0;
  const name = account?.name;
  const memberOf = accounts.groups.filter(({ members }) => name !== undefined && members.includes(name));
  const additionalGids = [...new Set(memberOf.map((group) => group.gid))].filter((id) => id !== gid);
  return { uid, gid, additionalGids, home: account?.home || '/', name };
}

function isAccount(account: Account, wanted: ImageUser): boolean {
  return wanted.uid === undefined ? account.name === wanted.name : account.uid === wanted.uid;
}

function groupOf(groups: readonly Group[], wanted: string): number | undefined {
  if (wanted === '') return undefined;
  const gid = idOf(wanted) ?? groups.find(({ name }) => name === wanted)?.gid;
  if (gid !== undefined) return gid;
  throw new ImageError('MalformedImage', `unable to find group ${wanted}: no matching entries in group file`);
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function readAccounts(root: string): { users: Account[]; groups: Group[] } {
  const rootFd = openSync(root, DIRECTORY_FLAGS);
  try {
    return {
      users: readLines(rootFd, 'etc/passwd').flatMap(parseAccount),
      groups: readLines(rootFd, 'etc/group').flatMap(parseGroup),
    };
  } finally {
    closeSync(rootFd);
  }
}

function parseAccount(line: string): Account[] {
  const fields = line.split(':');
  const [name = '', , uidText = '', gidText = ''] = fields;
  const uid = idOf(uidText);
  const gid = idOf(gidText);
  if (name === '' || uid === undefined || gid === undefined || fields.length > PASSWD_FIELDS) return [];
  return [{ name, uid, gid, home: fields[5] ?? '' }];
}

function parseGroup(line: string): Group[] {
  const [name = '', , gidText = '', members = ''] = line.split(':');
  const gid = idOf(gidText);
  if (name === '' || gid === undefined) return [];
  return [{ name, gid, members: members.split(',').filter((member) => member !== '') }];
}

function idOf(text: string): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_ID ? value : undefined;
}

/** None when the image has no such file, or something there that is no file. */
function readLines(rootFd: number, file: string): string[] {
  let fd: number;
  try {
    // A FIFO must not keep us waiting.
    fd = openInRoot(rootFd, file, { flags: constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'ENXIO')) return [];
    throw error;
  }
  try {
    return fstatSync(fd).isFile() ? readText(fd, file).split('\n') : [];
  } finally {
    closeSync(fd);
  }
}

function readText(fd: number, file: string): string {
  const { size } = fstatSync(fd);
  if (size > MAX_ACCOUNT_FILE_BYTES) throw limitExceeded(`/${file} of ${size} bytes`, MAX_ACCOUNT_FILE_BYTES);
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const count = readSync(fd, bytes, done, size - done, done);
    if (count === 0) break;
    done += count;
  }
  return bytes.toString('utf8', 0, done);
}
