/**
 * Reads a tar archive that is pushed in pieces and hands its entries to a visitor, synchronously and without
 * copying data. V7, ustar, star, GNU and PAX, long names, sparse files, binary extended attributes.
 *
 * Reads as Go's archive/tar does where archives are ambiguous, since that is what the rest of the container world
 * unpacks with: an archive ends at two blocks of zeros, link and directory entries have no data whatever their size
 * field says, global PAX headers are ignored. A stranger's parser, not a trusting one: whatever does not fit is an
 * error, and extension headers are bounded.
 *
 * (tar-stream, which the builder writes with, decodes PAX values as text, which destroys `security.capability`, and
 * knows no old GNU sparse files.)
 */
import { limitExceeded } from '#runtime/image/errors.ts';
import { BLOCK_BYTES, decodeHeader, type HeaderKind, isZeroBlock } from '#runtime/image/unpack/tar-header.ts';
import { applyPax, parsePax, type PaxRecord } from '#runtime/image/unpack/pax.ts';
import { oldRealSize, oldSparseRanges, paxSparse, setSparse, SparseMapReader } from '#runtime/image/unpack/sparse.ts';
import { malformedTar, type SparseRange, type TarEntry } from '#runtime/image/unpack/tar-entry.ts';

export interface TarVisitor {
  entry(entry: TarEntry): void;
  /** Some of the current entry's data and where it belongs in the file; the bytes are valid during the call only. */
  data(bytes: Buffer, position: number): void;
  /** The current entry's data is complete. */
  end(): void;
}

interface Pending {
  readonly kind: HeaderKind;
  readonly size: number;
  readonly chunks: Buffer[];
  missing: number;
}

type State = 'header' | 'extension' | 'old-sparse' | 'sparse-map' | 'data' | 'padding' | 'ended';

export class TarReader {
  readonly #visitor: TarVisitor;
  readonly #maxHeaderBytes: number;
  #state: State = 'header';
  /** An incomplete block. */
  #rest: Buffer = Buffer.alloc(0);
  #zeroBlocks = 0;
  #extension: Pending | undefined;
  #extensionBytes = 0;
  #pax: PaxRecord[] = [];
  #gnuName: string | undefined;
  #gnuLink: string | undefined;
  #entry: TarEntry | undefined;
  #oldSparse: { ranges: SparseRange[]; realSize: number } | undefined;
  #map: { reader: SparseMapReader; realSize: number } | undefined;
  /** Bytes of data, and then of padding, that are still to come. */
  #missing = 0;
  #padding = 0;
  #position = 0;
  #range = 0;

  constructor(visitor: TarVisitor, options: { maxHeaderBytes: number }) {
    this.#visitor = visitor;
    this.#maxHeaderBytes = options.maxHeaderBytes;
  }

  push(chunk: Buffer): void {
    let input = chunk;
    while (input.length > 0 && this.#state !== 'ended') {
      if (this.#state === 'data') input = this.#takeData(input);
      else if (this.#state === 'padding') input = this.#skipPadding(input);
      else if (this.#state === 'extension') input = this.#takeExtension(input);
      else input = this.#takeBlock(input);
    }
  }

  /** To be called after the last piece; throws when the archive ends within an entry. */
  finish(): void {
    const isBetween = this.#state === 'header' && this.#rest.length === 0;
    if (this.#state === 'ended' || (isBetween && !this.#hasExtensions())) return;
    throw malformedTar('unexpected end of archive');
  }

  #takeBlock(input: Buffer): Buffer {
    const wanted = BLOCK_BYTES - this.#rest.length;
    if (input.length < wanted) {
      this.#rest = Buffer.concat([this.#rest, input]);
      return input.subarray(input.length);
    }
    const block =
      this.#rest.length === 0 ? input.subarray(0, BLOCK_BYTES) : Buffer.concat([this.#rest, input.subarray(0, wanted)]);
    this.#rest = Buffer.alloc(0);
    if (this.#state === 'header') this.#header(block);
    else if (this.#state === 'old-sparse') this.#oldSparseBlock(block);
    else this.#mapBlock(block);
    return input.subarray(wanted);
  }

  #header(block: Buffer): void {
    if (isZeroBlock(block)) {
      if (this.#hasExtensions()) throw malformedTar('extension header without an entry');
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      return;
    }
    if (this.#zeroBlocks > 0) throw malformedTar('a single block of zeros');
    const { kind, entry } = decodeHeader(block);
    if (kind === 'pax' || kind === 'pax-global' || kind === 'gnu-name' || kind === 'gnu-link') {
      this.#startExtension(kind, entry.storedSize);
    } else this.#startEntry(kind, entry, block);
  }

  #startExtension(kind: HeaderKind, size: number): void {
    this.#extensionBytes += size;
    if (this.#extensionBytes > this.#maxHeaderBytes) {
      throw limitExceeded(`tar extension header of ${this.#extensionBytes} bytes`, this.#maxHeaderBytes);
    }
    this.#extension = { kind, size, chunks: [], missing: padded(size) };
    if (size === 0) this.#finishExtension(this.#extension);
    else this.#state = 'extension';
  }

  #takeExtension(input: Buffer): Buffer {
    const extension = this.#extension;
    if (!extension) throw malformedTar('no extension');
    const taken = input.subarray(0, extension.missing);
    extension.chunks.push(Buffer.from(taken));
    extension.missing -= taken.length;
    if (extension.missing === 0) this.#finishExtension(extension);
    return input.subarray(taken.length);
  }

  #finishExtension({ kind, size, chunks }: Pending): void {
    const bytes = Buffer.concat(chunks).subarray(0, size);
    this.#extension = undefined;
    this.#state = 'header';
    if (kind === 'pax') this.#pax.push(...parsePax(bytes));
    else if (kind === 'gnu-name') this.#gnuName = untilNul(bytes);
    else if (kind === 'gnu-link') this.#gnuLink = untilNul(bytes);
  }

  #startEntry(kind: HeaderKind, entry: TarEntry, block: Buffer): void {
    if (this.#gnuName !== undefined) entry.name = this.#gnuName;
    if (this.#gnuLink !== undefined) entry.linkName = this.#gnuLink;
    applyPax(entry, this.#pax);
    // Old archives mark a directory by its name only.
    if (block[156] === 0 && entry.name.endsWith('/')) entry.type = 'directory';
    const sparse = entry.type === 'file' ? paxSparse(this.#pax) : undefined;
    this.#forgetExtensions();
    this.#entry = entry;
    if (entry.type !== 'file') {
      entry.storedSize = 0;
      entry.size = 0;
    }
    if (kind === 'gnu-sparse') this.#startOldSparse(block);
    else if (sparse) this.#startSparse(entry, sparse);
    else this.#startData(entry);
  }

  #startOldSparse(block: Buffer): void {
    const { ranges, more } = oldSparseRanges(block, 'header');
    this.#oldSparse = { ranges, realSize: oldRealSize(block) };
    this.#afterOldSparse(more);
  }

  #oldSparseBlock(block: Buffer): void {
    const { ranges, more } = oldSparseRanges(block, 'continuation');
    this.#extensionBytes += BLOCK_BYTES;
    if (this.#extensionBytes > this.#maxHeaderBytes) throw limitExceeded('sparse map', this.#maxHeaderBytes);
    this.#oldSparse?.ranges.push(...ranges);
    this.#afterOldSparse(more);
  }

  #afterOldSparse(more: boolean): void {
    if (more) {
      this.#state = 'old-sparse';
      return;
    }
    const entry = this.#current();
    setSparse(entry, this.#oldSparse?.ranges ?? [], this.#oldSparse?.realSize ?? 0);
    this.#oldSparse = undefined;
    this.#extensionBytes = 0;
    this.#startData(entry);
  }

  #startSparse(entry: TarEntry, sparse: NonNullable<ReturnType<typeof paxSparse>>): void {
    if (sparse.name !== undefined) entry.name = sparse.name;
    if (sparse.map === 'before data') {
      this.#map = { reader: new SparseMapReader(), realSize: sparse.realSize };
      this.#state = 'sparse-map';
      return;
    }
    setSparse(entry, sparse.map, sparse.realSize);
    this.#startData(entry);
  }

  #mapBlock(block: Buffer): void {
    const entry = this.#current();
    const map = this.#map;
    if (!map) throw malformedTar('no sparse map');
    const ranges = map.reader.block(block);
    if (map.reader.bytes > entry.storedSize || map.reader.bytes > this.#maxHeaderBytes) {
      throw malformedTar('sparse map does not end');
    }
    if (!ranges) return;
    entry.storedSize -= map.reader.bytes;
    this.#map = undefined;
    setSparse(entry, ranges, map.realSize);
    this.#startData(entry);
  }

  #startData(entry: TarEntry): void {
    this.#missing = entry.storedSize;
    this.#padding = padded(entry.storedSize) - entry.storedSize;
    this.#range = 0;
    this.#position = entry.sparse?.[0]?.offset ?? 0;
    this.#visitor.entry(entry);
    if (this.#missing > 0) this.#state = 'data';
    else this.#endEntry();
  }

  #takeData(input: Buffer): Buffer {
    const entry = this.#current();
    const range = entry.sparse?.[this.#range];
    const room = range ? range.offset + range.length - this.#position : this.#missing;
    const bytes = input.subarray(0, Math.min(room, this.#missing));
    this.#visitor.data(bytes, this.#position);
    this.#position += bytes.length;
    this.#missing -= bytes.length;
    if (range && this.#position === range.offset + range.length) {
      this.#range += 1;
      this.#position = entry.sparse?.[this.#range]?.offset ?? this.#position;
    }
    if (this.#missing === 0) this.#endEntry();
    return input.subarray(bytes.length);
  }

  #endEntry(): void {
    this.#entry = undefined;
    this.#visitor.end();
    this.#state = this.#padding > 0 ? 'padding' : 'header';
  }

  #skipPadding(input: Buffer): Buffer {
    const skipped = Math.min(this.#padding, input.length);
    this.#padding -= skipped;
    if (this.#padding === 0) this.#state = 'header';
    return input.subarray(skipped);
  }

  #current(): TarEntry {
    if (!this.#entry) throw malformedTar('data without an entry');
    return this.#entry;
  }

  #hasExtensions(): boolean {
    return this.#pax.length > 0 || this.#gnuName !== undefined || this.#gnuLink !== undefined;
  }

  #forgetExtensions(): void {
    this.#pax = [];
    this.#gnuName = undefined;
    this.#gnuLink = undefined;
    this.#extensionBytes = 0;
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}
