/**
 * PAX extension records (`LENGTH KEY=VALUE\n`) and what they say of the next entry. Values stay bytes: extended
 * attributes are binary.
 */
import { malformedTar, type TarEntry } from '#runtime/image/unpack/tar-entry.ts';

export interface PaxRecord {
  readonly key: string;
  readonly value: Buffer;
}

const XATTR = 'SCHILY.xattr.';
const LONGEST_LENGTH = 10;

export function parsePax(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, Math.min(space, at + LONGEST_LENGTH + 1));
    const end = at + Number(digits);
    if (!/^\d{1,10}$/.test(digits) || end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) {
      throw malformedTar('malformed PAX record');
    }
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end) throw malformedTar('PAX record without a value');
    const key = bytes.toString('latin1', space + 1, equals);
    if (key === '') throw malformedTar('PAX record without a key');
    records.push({ key, value: bytes.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

/**
 * Applies what concerns names, numbers and attributes; sparse files are the business of `sparse.ts`. The last record
 * of a key counts, and an empty one means the header's own value.
 */
export function applyPax(entry: TarEntry, records: readonly PaxRecord[]): void {
  const xattrs = new Map<string, Buffer>();
  const last = new Map(records.map(({ key, value }) => [key, value]));
  for (const [key, value] of last) {
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), Buffer.from(value));
    else if (value.length > 0) applyRecord(entry, key, value);
  }
  if (xattrs.size > 0) entry.xattrs = xattrs;
}

function applyRecord(entry: TarEntry, key: string, value: Buffer): void {
  const text = () => textOf(key, value);
  if (key === 'path') entry.name = text();
  else if (key === 'linkpath') entry.linkName = text();
  else if (key === 'uid') entry.uid = integerOf(key, text());
  else if (key === 'gid') entry.gid = integerOf(key, text());
  else if (key === 'mtime') entry.mtimeMs = timeOf(text());
  else if (key === 'size') {
    entry.storedSize = integerOf(key, text());
    entry.size = entry.storedSize;
  }
}

function textOf(key: string, value: Buffer): string {
  if (value.includes(0)) throw malformedTar(`NUL in PAX record ${key}`);
  return value.toString('latin1');
}

export function integerOf(key: string, text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformedTar(`PAX record ${key} is not a number: ${JSON.stringify(text)}`);
  return value;
}

function timeOf(text: string): number {
  if (!/^-?\d{1,15}(?:\.\d*)?$/.test(text))
    throw malformedTar(`PAX record mtime is not a time: ${JSON.stringify(text)}`);
  return Number(text) * 1_000;
}
