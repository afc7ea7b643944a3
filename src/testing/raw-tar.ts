/**
 * Tar archives byte by byte, for what no honest writer would write: any name, any number, any type, any extension
 * record. Names are byte strings (latin1).
 */
const BLOCK = 512;

export interface RawEntry {
  readonly name: string;
  /** The type flag; a regular file by default. */
  readonly flag?: string;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds. */
  readonly mtime?: number;
  readonly data?: Uint8Array | string;
  /** What the header claims, where that is not the data's length. */
  readonly size?: number;
  readonly device?: { readonly major: number; readonly minor: number };
  /** PAX records of a header before this one; values may be binary. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Text over the magic field: none makes a V7 header. */
  readonly magic?: 'ustar' | 'gnu' | 'none';
  readonly prefix?: string;
}

/** The archive with its two closing blocks. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(2 * BLOCK)]);
}

/** One entry, extension header included, padded. */
export function rawEntry(entry: RawEntry): Buffer {
  const data = bytesOf(entry.data ?? '');
  const parts = [rawHeader(entry, data.length), data, Buffer.alloc(padding(data.length))];
  if (!entry.pax) return Buffer.concat(parts);
  const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([rawEntry({ name: 'PaxHeaders/x', flag: 'x', data: records }), ...parts]);
}

export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const bytes = bytesOf(value);
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), bytes, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function bytesOf(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value);
}

function rawHeader(entry: RawEntry, dataLength: number): Buffer {
  const { name, flag = '0', linkName = '', mode = 0o644, uid = 0, gid = 0, mtime = 0, size = dataLength } = entry;
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, 'latin1');
  number(header, 100, 8, mode);
  number(header, 108, 8, uid);
  number(header, 116, 8, gid);
  number(header, 124, 12, size);
  number(header, 136, 12, mtime);
  header.write(flag, 156, 1, 'latin1');
  header.write(linkName, 157, 100, 'latin1');
  const { magic = 'ustar' } = entry;
  if (magic === 'ustar') header.write('ustar\x0000', 257, 'latin1');
  if (magic === 'gnu') header.write('ustar  \0', 257, 'latin1');
  if (entry.device) {
    number(header, 329, 8, entry.device.major);
    number(header, 337, 8, entry.device.minor);
  }
  if (entry.prefix !== undefined) header.write(entry.prefix, 345, 155, 'latin1');
  return withChecksum(header);
}

/** Fills in the sum; for headers that a test changed by hand. */
export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Octal where it fits, else binary with the top bit set. */
function number(header: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8);
  if (value >= 0 && digits.length < length) {
    header.write(digits.padStart(length - 1, '0'), offset, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let at = length - 1; at > 0; at -= 1) {
    header[offset + at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  header[offset] = value < 0 ? 0xff : 0x80;
}

function padding(length: number): number {
  return (BLOCK - (length % BLOCK)) % BLOCK;
}
