/**
 * Decodes the 512 bytes of one tar header: V7, ustar, star, GNU. Extension headers are other files' business.
 */
import { malformedTar, type TarEntry, type TarEntryType } from '#runtime/image/unpack/tar-entry.ts';

export const BLOCK_BYTES = 512;

/** Entries by type flag; those that only describe the next entry, and old GNU sparse files, have words of their own. */
export type HeaderKind = TarEntryType | 'pax' | 'pax-global' | 'gnu-name' | 'gnu-link' | 'gnu-sparse';

export interface TarHeader {
  readonly kind: HeaderKind;
  readonly entry: TarEntry;
}

const KINDS: Readonly<Record<string, HeaderKind>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  x: 'pax',
  g: 'pax-global',
  L: 'gnu-name',
  K: 'gnu-link',
  S: 'gnu-sparse',
};

const PERMISSIONS = 0o7777;
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < BLOCK_BYTES; at += 1) if (block[at] !== 0) return false;
  return true;
}

export function decodeHeader(block: Buffer): TarHeader {
  verifyChecksum(block);
  const flag = String.fromCharCode(block[156] ?? 0);
  const kind = KINDS[flag];
  if (!kind) throw malformedTar(`unhandled header type ${JSON.stringify(flag)}`);
  const size = numberAt(block, 124, 12);
  const entry: TarEntry = {
    type: isEntryType(kind) ? kind : 'file',
    name: fullName(block),
    linkName: textAt(block, 157, 100),
    mode: numberAt(block, 100, 8) & PERMISSIONS,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    mtimeMs: signedAt(block, 136, 12) * 1_000,
    storedSize: size,
    size,
    deviceMajor: hasMagic(block) ? numberAt(block, 329, 8) : 0,
    deviceMinor: hasMagic(block) ? numberAt(block, 337, 8) : 0,
    xattrs: NO_XATTRS,
  };
  return { kind, entry };
}

function isEntryType(kind: HeaderKind): kind is TarEntryType {
  return !kind.startsWith('pax') && !kind.startsWith('gnu-');
}

/** The sum counts its own field as blanks; some old writers summed signed bytes. */
function verifyChecksum(block: Buffer): void {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = at >= 148 && at < 156 ? 32 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stored = numberAt(block, 148, 8);
  if (stored !== unsigned && stored !== signed) throw malformedTar('header checksum is wrong');
}

function hasMagic(block: Buffer): boolean {
  return block.toString('latin1', 257, 262) === 'ustar';
}

/** POSIX archives keep the front of a long name in a field of its own; star uses a shorter one. */
function fullName(block: Buffer): string {
  const name = textAt(block, 0, 100);
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = textAt(block, 345, isStar ? 131 : 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textAt(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end < 0 || end > offset + length ? offset + length : end);
}

/** A number that must not be negative. */
export function numberAt(block: Buffer, offset: number, length: number): number {
  const value = signedAt(block, offset, length);
  if (value < 0) throw malformedTar('negative number in a header');
  return value;
}

/** Octal digits, or with the top bit set a big-endian binary number. */
function signedAt(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  return (first & 0x80) === 0 ? octalAt(block, offset, length) : binaryAt(block, offset, length);
}

function octalAt(block: Buffer, offset: number, length: number): number {
  const digits = block
    .toString('latin1', offset, offset + length)
    .replace(/^[ \0]+/, '')
    .replace(/[ \0][^]*$/, '');
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw malformedTar(`not an octal number: ${JSON.stringify(digits)}`);
  return Number.parseInt(digits, 8);
}

function binaryAt(block: Buffer, offset: number, length: number): number {
  const isNegative = block[offset] === 0xff;
  let value = isNegative ? -1n : BigInt((block[offset] ?? 0) & 0x7f);
  for (let at = 1; at < length; at += 1) value = (value << 8n) | BigInt(block[offset + at] ?? 0);
  const result = Number(value);
  if (!Number.isSafeInteger(result)) throw malformedTar('number out of range in a header');
  return result;
}
