/**
 * A directory tree that is filled by a stranger's names and links, without ever leaving its root.
 *
 * Every entry is reached by opening its parent with `openat2` and RESOLVE_IN_ROOT, so links on the way lead within
 * the tree whatever they say, and then by its last name only, which is never followed. Parents that are missing are
 * made, and the owner of the tree is told.
 *
 *     path a/b/c  →  parent descriptor of a/b (cached)  →  act on "c"
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync, type Stats } from 'node:fs';
import { DIRECTORY_FLAGS, makeDirectoryAt, openInRoot, removeFileAt } from '#sys/directory.ts';
import { hasCode } from '#sys/errors.ts';
import { O_PATH } from '#sys/libc.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { entryName, procPath } from '#runtime/image/unpack/byte-name.ts';
import { type ByteString, shownName } from '#runtime/image/unpack/tar-entry.ts';

/** Parents that stay open; archives walk a tree, so few are enough. */
const MAX_OPEN_PARENTS = 128;

export interface TreeEvents {
  /** A parent that the archive did not name was made; `dirfd` is open for reaching it only. */
  madeParent(path: ByteString, dirfd: number): void;
  /** A parent took the place of a whiteout of this same layer. */
  replacedWhiteout(path: ByteString, dirfd: number): void;
}

export class RootedTree implements Disposable {
  readonly rootFd: number;
  readonly #events: TreeEvents;
  readonly #open = new Map<ByteString, number>();

  constructor(root: string, events: TreeEvents) {
    this.rootFd = openSync(root, DIRECTORY_FLAGS | constants.O_NOFOLLOW);
    this.#events = events;
  }

  [Symbol.dispose](): void {
    this.forgetParents();
    closeSync(this.rootFd);
  }

  /** The directory that holds `path`, made if need be. Valid until two further directories were asked for. */
  parentOf(path: ByteString): number {
    return this.#directory(parentPath(path));
  }

  /** The directory itself, made if need be; valid as long. */
  directory(path: ByteString): number {
    return this.#directory(path);
  }

  /** The directory that holds `path` if it is there. */
  existingParentOf(path: ByteString): number | undefined {
    const parent = parentPath(path);
    try {
      return this.#known(parent) ?? this.#remember(parent, this.#openDirectory(parent));
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw unresolvable(parent, error);
    }
  }

  /** Removes whatever has that name, a directory with all that is in it. */
  remove(dirfd: number, name: ByteString, stats: Stats): void {
    if (stats.isDirectory()) {
      this.forgetParents();
      rmSync(procPath(dirfd, name), { recursive: true });
      return;
    }
    if (stats.isSymbolicLink()) this.forgetParents();
    removeFileAt(dirfd, entryName(name));
  }

  /** To be called when a directory or link was replaced: what led through it may lead elsewhere now. */
  forgetParents(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #directory(path: ByteString): number {
    const known = this.#known(path);
    if (known !== undefined) return known;
    try {
      return this.#remember(path, this.#openDirectory(path));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return this.#make(path);
      if (hasCode(error, 'ENOTDIR')) return this.#makeInPlaceOfWhiteout(path);
      throw unresolvable(path, error);
    }
  }

  #make(path: ByteString): number {
    const parent = this.#directory(parentPath(path));
    try {
      makeDirectoryAt(parent, entryName(baseName(path)), 0o755);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) throw leadsNowhere(path);
      throw error;
    }
    const fd = this.#remember(path, this.#openDirectory(path));
    this.#events.madeParent(path, fd);
    return fd;
  }

  #makeInPlaceOfWhiteout(path: ByteString): number {
    const parent = this.#directory(parentPath(path));
    const base = baseName(path);
    const stats = statEntry(parent, base);
    if (!stats?.isCharacterDevice()) {
      throw new ImageError('MalformedLayer', `${shownName(path)} is used as a directory and is none`);
    }
    removeFileAt(parent, entryName(base));
    const fd = this.#make(path);
    this.#events.replacedWhiteout(path, fd);
    return fd;
  }

  #openDirectory(path: ByteString): number {
    return openInRoot(this.rootFd, entryName(path), { flags: DIRECTORY_FLAGS });
  }

  /** An open directory, which becomes the last to be closed. */
  #known(path: ByteString): number | undefined {
    if (path === '') return this.rootFd;
    const fd = this.#open.get(path);
    if (fd === undefined) return undefined;
    this.#open.delete(path);
    this.#open.set(path, fd);
    return fd;
  }

  #remember(path: ByteString, fd: number): number {
    this.#open.set(path, fd);
    for (const [oldest, oldFd] of this.#open) {
      if (this.#open.size <= MAX_OPEN_PARENTS) break;
      this.#open.delete(oldest);
      closeSync(oldFd);
    }
    return fd;
  }
}

/** The entry itself, links not followed; undefined when there is none. */
export function statEntry(dirfd: number, name: ByteString): Stats | undefined {
  return lstatSync(procPath(dirfd, name), { throwIfNoEntry: false });
}

/** Looks `path` up below another root (a lower layer); undefined when nothing is there. */
export function statInRoot(rootFd: number, path: ByteString): Stats | undefined {
  let fd: number;
  try {
    fd = openInRoot(rootFd, entryName(path === '' ? '.' : path), { flags: O_PATH });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

function unresolvable(path: ByteString, error: unknown): unknown {
  if (!hasCode(error, 'ELOOP', 'EXDEV')) return error;
  return new ImageError('UnsafePath', `${shownName(path)} cannot be resolved within the layer`, { cause: error });
}

function leadsNowhere(path: ByteString): ImageError {
  return new ImageError('UnsafePath', `${shownName(path)} is a link that leads to nothing within the layer`);
}
