/**
 * Archives as the Go module proxy serves them: read, checked against the hash that a `go.sum` would have (`h1:`), and
 * unpacked. Nothing is put in place before the hash was right; a name that leads out of the folder is refused.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END_SIGNATURE = 0x06_05_4b_50;
const ENTRY_SIGNATURE = 0x02_01_4b_50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** Far above the largest file of a toolchain. */
const FILE_LIMIT_BYTES = 256 * 1024 * 1024;

interface Entry {
  readonly name: string;
  /** Unpacks it. */
  read(): Buffer;
}

/** @param prefix of all names, such as `golang.org/toolchain@v1.2.3/`; it is not part of the paths below `folder`. */
export function unpackModule(zip: Buffer, { prefix, sum }: { prefix: string; sum: string }, folder: string): void {
  const lines: string[] = [];
  for (const entry of entriesOf(zip).sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const content = entry.read();
    lines.push(`${createHash('sha256').update(content).digest('hex')}  ${entry.name}\n`);
    const file = path.join(folder, entry.name.slice(prefix.length));
    const isInside = entry.name.startsWith(prefix) && file.startsWith(`${folder}${path.sep}`);
    if (!isInside) throw new Error(`the archive has a file outside of its folder: ${entry.name}`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const found = `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`;
  if (found !== sum) throw new Error(`the archive is not the one that was asked for: its hash is ${found}, not ${sum}`);
}

function entriesOf(zip: Buffer): Entry[] {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + END_BYTES > zip.length || zip.readUInt32LE(end) !== END_SIGNATURE) {
    throw new Error('no zip archive');
  }
  const entries: Entry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let count = zip.readUInt16LE(end + 10); count > 0; count--) {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('a broken zip archive');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const nameEnd = at + ENTRY_BYTES + (nameBytes ?? 0);
    const entryAt = at;
    entries.push({
      name: zip.toString('utf8', at + ENTRY_BYTES, nameEnd),
      read: () => contentOf(zip, entryAt),
    });
    at = nameEnd + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  return entries;
}

function contentOf(zip: Buffer, entryAt: number): Buffer {
  const method = zip.readUInt16LE(entryAt + 10);
  const bytes = zip.readUInt32LE(entryAt + 20);
  const local = zip.readUInt32LE(entryAt + 42);
  const start = local + LOCAL_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + bytes);
  if (method === 0) return packed;
  if (method === 8) return inflateRawSync(packed, { maxOutputLength: FILE_LIMIT_BYTES });
  throw new Error(`the archive is packed in a way that is not known: ${method}`);
}
