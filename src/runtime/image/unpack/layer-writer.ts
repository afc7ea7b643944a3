/**
 * Lays the entries of one layer out as a directory that overlayfs takes as a lower layer: whiteouts become 0/0
 * character devices, opaque directories get `trusted.overlay.opaque`; owners, modes, times, links and the
 * attributes `security.capability` and `user.*` are kept.
 *
 * The archive is a stranger's: paths and links cannot leave the root (`rooted-tree.ts`), device nodes are refused
 * (those that every container gets at /dev anyway are left out), and everything is bounded (`LayerLimits`).
 * Where archives leave room, this does as containerd does: a later entry replaces an earlier one, a directory meets a
 * directory, the root's own attributes are ignored, a parent that the archive does not name looks as it does in the
 * layers below.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  writeSync,
} from 'node:fs';
import { linkAt, makeDirectoryAt, openBeneath, ownAt, removeFileAt, setTimesAt, symlinkAt } from '#sys/directory.ts';
import { hasCode } from '#sys/errors.ts';
import { mkfifo, mknod } from '#sys/fs.ts';
import { setXattr } from '#sys/xattr.ts';
import { ImageError, limitExceeded } from '#runtime/image/errors.ts';
import type { LayerLimits } from '#runtime/image/limits.ts';
import { entryName, procPath } from '#runtime/image/unpack/byte-name.ts';
import { entryPath, whiteoutOf } from '#runtime/image/unpack/entry-path.ts';
import { baseName, RootedTree, statEntry, statInRoot } from '#runtime/image/unpack/rooted-tree.ts';
import { type ByteString, shownName, type TarEntry } from '#runtime/image/unpack/tar-entry.ts';
import type { TarVisitor } from '#runtime/image/unpack/tar-reader.ts';

export interface LayerWriterOptions {
  /** An empty directory. */
  readonly root: string;
  /** Open roots of the layers below, the nearest first. */
  readonly lowerFds: readonly number[];
  readonly limits: LayerLimits;
  /** Compressed bytes that were read so far. */
  readonly compressedBytes: () => number;
}

export interface LayerFacts {
  readonly entries: number;
  /** Bytes written to files. */
  readonly bytes: number;
  /** Nothing of the result depends on the layers below. */
  readonly independent: boolean;
  /** The layer hides everything below it. */
  readonly opaqueRoot: boolean;
}

const OPAQUE = 'trusted.overlay.opaque';
const YES = Buffer.from('y');
/** Nodes that the runtime makes in every container's /dev, as major:minor. */
const STANDARD_DEVICES = new Set(['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:1', '5:2']);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export class LayerWriter implements TarVisitor, Disposable {
  readonly #options: LayerWriterOptions;
  readonly #tree: RootedTree;
  readonly #directoryTimes = new Map<ByteString, number>();
  #entries = 0;
  #bytes = 0;
  #independent = true;
  #opaqueRoot = false;
  #file: { readonly fd: number; readonly entry: TarEntry } | undefined;

  constructor(options: LayerWriterOptions) {
    this.#options = options;
    this.#tree = new RootedTree(options.root, {
      madeParent: (path, dirfd) => this.#inheritAttributes(path, dirfd),
      replacedWhiteout: (_path, dirfd) => setXattr(`/proc/self/fd/${dirfd}/.`, OPAQUE, YES),
    });
  }

  [Symbol.dispose](): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
    this.#tree[Symbol.dispose]();
  }

  /** To be called after the last entry. */
  finish(): LayerFacts {
    this.#setDirectoryTimes();
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      independent: this.#independent,
      opaqueRoot: this.#opaqueRoot,
    };
  }

  entry(entry: TarEntry): void {
    const { limits } = this.#options;
    this.#entries += 1;
    if (this.#entries > limits.entries) throw limitExceeded('number of entries in a layer', limits.entries);
    if (entry.size > limits.fileBytes) throw limitExceeded(`file of ${entry.size} bytes`, limits.fileBytes);
    if (this.#bytes + entry.storedSize > limits.totalBytes)
      throw limitExceeded('unpacked size of a layer', limits.totalBytes);
    const path = entryPath(entry.name, limits);
    if (path === '') {
      if (entry.type === 'directory') return;
      throw new ImageError('UnsafePath', `${shownName(entry.name)} would replace the root`);
    }
    const whiteout = whiteoutOf(path);
    if (whiteout.kind === 'hide') this.#hide(whiteout.path);
    else if (whiteout.kind === 'opaque') this.#makeOpaque(whiteout.path);
    else if (whiteout.kind === 'none') this.#create(path, entry);
  }

  data(bytes: Buffer, position: number): void {
    const { limits, compressedBytes } = this.#options;
    this.#bytes += bytes.length;
    if (this.#bytes > limits.ratioFloorBytes && this.#bytes > limits.ratio * compressedBytes()) {
      throw limitExceeded('compression ratio of a layer', limits.ratio);
    }
    if (!this.#file) return;
    const { fd, entry } = this.#file;
    writeFully(fd, bytes, entry.sparse ? position : null);
  }

  end(): void {
    if (!this.#file) return;
    const { fd, entry } = this.#file;
    this.#file = undefined;
    try {
      if (entry.sparse) ftruncateSync(fd, entry.size);
      setAttributes(fd, entry);
      futimesSync(fd, entry.mtimeMs / 1_000, entry.mtimeMs / 1_000);
    } finally {
      closeSync(fd);
    }
  }

  #create(path: ByteString, entry: TarEntry): void {
    switch (entry.type) {
      case 'file':
        return this.#createFile(path, entry);
      case 'directory':
        return this.#createDirectory(path, entry);
      case 'symlink':
        return this.#createSymlink(path, entry);
      case 'hardlink':
        return this.#createHardlink(path, entry);
      case 'fifo':
        return this.#createFifo(path, entry);
      default:
        return refuseDevice(path, entry);
    }
  }

  #createFile(path: ByteString, entry: TarEntry): void {
    const name = entryName(baseName(path));
    const fd = this.#placing(path, (dirfd) => openBeneath(dirfd, name, { flags: CREATE, mode: 0o600 }));
    this.#file = { fd, entry };
  }

  #createDirectory(path: ByteString, entry: TarEntry): void {
    const dirfd = this.#tree.parentOf(path);
    const base = baseName(path);
    const found = this.#makeOrFind(dirfd, base);
    const fd = openBeneath(dirfd, entryName(base), { flags: OPEN_DIRECTORY });
    try {
      setAttributes(fd, entry);
      if (found === 'whiteout') setXattr(fd, OPAQUE, YES);
    } finally {
      closeSync(fd);
    }
    this.#directoryTimes.set(path, entry.mtimeMs);
  }

  /** Makes a directory, replacing anything but a directory; says what was there. */
  #makeOrFind(dirfd: number, base: ByteString): 'nothing' | 'directory' | 'whiteout' | 'other' {
    const name = entryName(base);
    try {
      makeDirectoryAt(dirfd, name, 0o700);
      return 'nothing';
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const stats = statEntry(dirfd, base);
    if (!stats || stats.isDirectory()) return 'directory';
    removeFileAt(dirfd, name);
    if (stats.isSymbolicLink()) this.#tree.forgetParents();
    return this.#makeAgain(base, dirfd, stats.isCharacterDevice() ? 'whiteout' : 'other');
  }

  #makeAgain<T>(base: ByteString, dirfd: number, found: T): T {
    makeDirectoryAt(dirfd, entryName(base), 0o700);
    return found;
  }

  #createSymlink(path: ByteString, entry: TarEntry): void {
    const { pathBytes } = this.#options.limits;
    const target = entry.linkName;
    if (target === '') throw new ImageError('MalformedLayer', `${shownName(path)}: a link without a target`);
    if (target.length > pathBytes) throw limitExceeded(`link target of ${target.length} bytes`, pathBytes);
    const name = entryName(baseName(path));
    this.#placing(path, (dirfd) => {
      symlinkAt(entryName(target), dirfd, name);
      ownAt(dirfd, name, entry);
      setTimesAt(dirfd, name, entry.mtimeMs);
    });
  }

  /** The target must be an entry of this layer; a link is linked itself, never what it points to. */
  #createHardlink(path: ByteString, entry: TarEntry): void {
    const target = entryPath(entry.linkName, this.#options.limits);
    const missing = () =>
      new ImageError(
        'UnsafePath',
        `${shownName(path)} links to ${shownName(entry.linkName)}, which is not in the layer`,
      );
    if (target === '' || target === path) throw missing();
    const found = this.#tree.existingParentOf(target);
    if (found === undefined) throw missing();
    const stats = statEntry(found, baseName(target));
    if (!stats || stats.isDirectory() || stats.isCharacterDevice()) throw missing();
    this.#placing(path, (dirfd) => {
      // Asked for again: making room may have removed the target together with a directory.
      const from = this.#tree.existingParentOf(target);
      if (from === undefined) throw missing();
      try {
        linkAt({ dirfd: from, name: entryName(baseName(target)) }, { dirfd, name: entryName(baseName(path)) });
      } catch (error) {
        if (hasCode(error, 'ENOENT')) throw missing();
        throw error;
      }
    });
  }

  #createFifo(path: ByteString, entry: TarEntry): void {
    const base = baseName(path);
    const name = entryName(base);
    this.#placing(path, (dirfd) => {
      mkfifo(name, 0o600, dirfd);
      ownAt(dirfd, name, entry);
      chmodSync(procPath(dirfd, base), entry.mode);
      setTimesAt(dirfd, name, entry.mtimeMs);
    });
  }

  /** Runs `make` in the parent of `path`; where something is in the way, removes it and runs it again. */
  #placing<T>(path: ByteString, make: (dirfd: number) => T): T {
    const dirfd = this.#tree.parentOf(path);
    try {
      return make(dirfd);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const base = baseName(path);
    const stats = statEntry(dirfd, base);
    if (stats) this.#tree.remove(dirfd, base, stats);
    return make(this.#tree.parentOf(path));
  }

  #hide(path: ByteString): void {
    const dirfd = this.#tree.parentOf(path);
    const base = baseName(path);
    const name = entryName(base);
    try {
      mknod(name, 0, { kind: 'character', major: 0, minor: 0 }, dirfd);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      // A whiteout concerns lower layers only. What this layer has there hides a file already, but not the
      // entries of a directory.
      if (statEntry(dirfd, base)?.isDirectory()) this.#makeOpaque(path);
    }
  }

  #makeOpaque(path: ByteString): void {
    const dirfd = this.#tree.directory(path);
    if (path === '') this.#opaqueRoot = true;
    else setXattr(`/proc/self/fd/${dirfd}/.`, OPAQUE, YES);
  }

  /** A parent that the archive does not name looks as it does below; at the bottom it is root's with 0755. */
  #inheritAttributes(path: ByteString, dirfd: number): void {
    this.#independent = false;
    for (const lowerFd of this.#options.lowerFds) {
      const stats = statInRoot(lowerFd, path);
      if (!stats) continue;
      if (!stats.isDirectory()) break;
      ownAt(dirfd, '.', { uid: stats.uid, gid: stats.gid });
      chmodSync(procPath(dirfd, '.'), stats.mode & 0o7777);
      this.#directoryTimes.set(path, stats.mtimeMs);
      return;
    }
    chmodSync(procPath(dirfd, '.'), 0o755);
  }

  /** Last of all, since every entry that is made changes its directory's time. */
  #setDirectoryTimes(): void {
    for (const [path, mtimeMs] of this.#directoryTimes) {
      const dirfd = this.#tree.existingParentOf(path);
      const isThere = dirfd !== undefined && statEntry(dirfd, baseName(path))?.isDirectory();
      if (isThere) setTimesAt(dirfd, entryName(baseName(path)), mtimeMs);
    }
  }
}

/** Ownership first: it clears setuid and capabilities. */
function setAttributes(fd: number, entry: TarEntry): void {
  fchownSync(fd, entry.uid, entry.gid);
  fchmodSync(fd, entry.mode);
  for (const [name, value] of entry.xattrs) if (isKept(name)) setKeptXattr(fd, name, value);
}

function isKept(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}

/** Left out where the file system has no attributes, as everybody does. */
function setKeptXattr(fd: number, name: string, value: Buffer): void {
  try {
    setXattr(fd, name, value);
  } catch (error) {
    if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP')) return;
    // The file system says "no space" of an attribute that is too large for it.
    if (!hasCode(error, 'EINVAL', 'E2BIG', 'ERANGE', 'ENOSPC')) throw error;
    throw new ImageError('MalformedLayer', `extended attribute ${name} of ${value.length} bytes is not accepted`, {
      cause: error,
    });
  }
}

function refuseDevice(path: ByteString, { type, deviceMajor, deviceMinor }: TarEntry): void {
  const numbers = `${deviceMajor}:${deviceMinor}`;
  if (type === 'character' && path.startsWith('dev/') && STANDARD_DEVICES.has(numbers)) return;
  throw new ImageError(
    'DeviceNode',
    `${shownName(path)} is a ${type} device (${numbers}): device nodes are not allowed in images`,
  );
}

function writeFully(fd: number, bytes: Buffer, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    done += writeSync(fd, bytes, done, bytes.length - done, at);
  }
}
