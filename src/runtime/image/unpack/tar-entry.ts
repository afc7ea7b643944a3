/**
 * What a tar archive says of one entry, after all its extension headers. Names and link targets are byte strings:
 * one character per byte (latin1), because tar knows no encoding and file systems neither.
 */
import { ImageError, quote } from '#runtime/image/errors.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block';

export type ByteString = string;

export interface SparseRange {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  type: TarEntryType;
  name: ByteString;
  linkName: ByteString;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch, with fractions. */
  mtimeMs: number;
  /** Bytes of data in the archive. */
  storedSize: number;
  /** Bytes of the file that results. */
  size: number;
  deviceMajor: number;
  deviceMinor: number;
  /** Names without any prefix of the archive format. */
  xattrs: ReadonlyMap<string, Buffer>;
  /** Where the stored bytes go; absent for files without holes. */
  sparse?: readonly SparseRange[];
}

export function malformedTar(problem: string): ImageError {
  return new ImageError('MalformedLayer', `invalid tar: ${problem}`);
}

/** A byte string for messages. */
export function shownName(name: ByteString): string {
  return quote(Buffer.from(name, 'latin1').toString('utf8'));
}
