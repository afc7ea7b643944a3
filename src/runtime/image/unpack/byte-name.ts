/**
 * Byte strings of an archive as the system takes them. Most names are UTF-8 and pass as text; others pass as bytes,
 * so that a file keeps the name that its author gave it.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { ByteString } from '#runtime/image/unpack/tar-entry.ts';

/** For system calls: text, or bytes that end in NUL. */
export function entryName(name: ByteString): string | Buffer {
  const bytes = Buffer.from(name, 'latin1');
  if (isAscii(bytes)) return name;
  return isUtf8(bytes) ? bytes.toString('utf8') : Buffer.concat([bytes, Buffer.alloc(1)]);
}

/** For Node's file functions: the entry of an open directory, by way of /proc. */
export function procPath(dirfd: number, name: ByteString): Buffer {
  return Buffer.from(`/proc/self/fd/${dirfd}/${name}`, 'latin1');
}
