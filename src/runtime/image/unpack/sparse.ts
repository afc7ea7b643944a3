/**
 * Files with holes, in the four forms that GNU tar writes: the old header with its continuation blocks, and PAX
 * 0.0, 0.1 and 1.0 (where the map stands before the data).
 */
import { BLOCK_BYTES, numberAt } from '#runtime/image/unpack/tar-header.ts';
import { integerOf, type PaxRecord } from '#runtime/image/unpack/pax.ts';
import { malformedTar, type SparseRange, type TarEntry } from '#runtime/image/unpack/tar-entry.ts';

/** Most pieces of one file. */
const MAX_RANGES = 100_000;
const OLD_HEADER = { at: 386, count: 4, continued: 482, realSize: 483 };
const OLD_CONTINUATION = { at: 0, count: 21, continued: 504 };

/** The ranges of an old GNU header or continuation block, and whether another block follows. */
export function oldSparseRanges(
  block: Buffer,
  part: 'header' | 'continuation',
): { ranges: SparseRange[]; more: boolean } {
  const layout = part === 'header' ? OLD_HEADER : OLD_CONTINUATION;
  const ranges: SparseRange[] = [];
  for (let index = 0; index < layout.count; index += 1) {
    const at = layout.at + index * 24;
    if (block[at] === 0) break;
    ranges.push({ offset: numberAt(block, at, 12), length: numberAt(block, at + 12, 12) });
  }
  return { ranges, more: block[layout.continued] !== 0 };
}

export function oldRealSize(block: Buffer): number {
  return numberAt(block, OLD_HEADER.realSize, 12);
}

/** What PAX says of a sparse file: its map, or that the map stands before the data. */
export type PaxSparse =
  | { readonly map: readonly SparseRange[]; readonly name?: string; readonly realSize: number }
  | { readonly map: 'before data'; readonly name?: string; readonly realSize: number };

export function paxSparse(records: readonly PaxRecord[]): PaxSparse | undefined {
  const last = (key: string) =>
    records.findLast((record) => record.key === `GNU.sparse.${key}`)?.value.toString('latin1');
  const size = last('realsize') ?? last('size');
  const isNewest = last('major') === '1';
  const list = last('map');
  const hasPairs = records.some(({ key }) => key === 'GNU.sparse.offset');
  if (size === undefined || !(isNewest || list !== undefined || hasPairs)) return undefined;
  const name = last('name');
  const common = { realSize: integerOf('GNU.sparse.size', size), ...(name === undefined ? {} : { name }) };
  if (isNewest) return { ...common, map: 'before data' };
  return { ...common, map: list === undefined ? pairsOf(records) : rangesOf(list === '' ? [] : list.split(',')) };
}

function pairsOf(records: readonly PaxRecord[]): SparseRange[] {
  const numbers = records
    .filter(({ key }) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
    .map(({ value }) => value.toString('latin1'));
  return rangesOf(numbers);
}

function rangesOf(numbers: readonly string[]): SparseRange[] {
  if (numbers.length % 2 !== 0) throw malformedTar('odd sparse map');
  const ranges: SparseRange[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    ranges.push({
      offset: integerOf('GNU.sparse.map', numbers[at] ?? ''),
      length: integerOf('GNU.sparse.map', numbers[at + 1] ?? ''),
    });
  }
  return ranges;
}

/** Reads the map of form 1.0: the count, then offset and length of each range, a line each, padded to a block. */
export class SparseMapReader {
  #text = '';
  #lines: string[] = [];
  bytes = 0;

  /** Takes one block; answers the ranges once the last of them was in it. */
  block(block: Buffer): SparseRange[] | undefined {
    this.bytes += BLOCK_BYTES;
    const parts = (this.#text + block.toString('latin1')).split('\n');
    this.#text = parts.pop() ?? '';
    this.#lines.push(...parts);
    const first = this.#lines[0];
    if (first === undefined) throw malformedTar('sparse map without a count');
    const count = integerOf('sparse map', first);
    if (count > MAX_RANGES) throw malformedTar('sparse map is too long');
    return this.#lines.length > count * 2 ? rangesOf(this.#lines.slice(1, count * 2 + 1)) : undefined;
  }
}

/** Fixes the map of an entry after checking that it is in order, within the file and as long as the stored data. */
export function setSparse(entry: TarEntry, ranges: readonly SparseRange[], realSize: number): void {
  if (ranges.length > MAX_RANGES) throw malformedTar('sparse map is too long');
  let end = 0;
  let stored = 0;
  for (const { offset, length } of ranges) {
    if (offset < end || !Number.isSafeInteger(offset + length)) throw malformedTar('sparse map out of order');
    end = offset + length;
    stored += length;
  }
  if (end > realSize || stored !== entry.storedSize) throw malformedTar('sparse map does not fit the file');
  entry.size = realSize;
  entry.sparse = ranges.filter(({ length }) => length > 0);
}
