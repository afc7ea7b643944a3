import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isImageError } from '#runtime/image/errors.ts';
import type { TarEntry } from '#runtime/image/unpack/tar-entry.ts';
import { TarReader } from '#runtime/image/unpack/tar-reader.ts';
import { paxRecord, type RawEntry, rawEntry, rawTar, withChecksum } from '#testing/raw-tar.ts';
import { needs } from '#testing/requirements.ts';

interface Read {
  readonly entry: TarEntry;
  readonly data: Buffer;
}

/** Pushes in pieces of `step` bytes; a file's data is put together as its holes say. */
function read(archive: Buffer, step = archive.length): Read[] {
  const result: Read[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => result.push({ entry, data: Buffer.alloc(entry.size) }),
      data: (bytes, position) => bytes.copy(result.at(-1)?.data ?? Buffer.alloc(0), position),
      end: () => {},
    },
    { maxHeaderBytes: 64 * 1024 },
  );
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.finish();
  return result;
}

const one = (entry: RawEntry) => read(rawTar([entry]))[0]!;

test('a file', () => {
  const { entry, data } = one({ name: 'a/b', mode: 0o104755, uid: 5, gid: 6, mtime: 1_700_000_000, data: 'hello' });
  assert.deepEqual(
    [entry.type, entry.name, entry.mode, entry.uid, entry.gid, entry.mtimeMs, data.toString()],
    ['file', 'a/b', 0o4755, 5, 6, 1_700_000_000_000, 'hello'],
  );
});

test('types', () => {
  const flags = ['0', '\0', '7', '1', '2', '3', '4', '5', '6'];
  assert.deepEqual(
    flags.map((flag) => one({ name: 'x', flag, linkName: 'y' }).entry.type),
    ['file', 'file', 'file', 'hardlink', 'symlink', 'character', 'block', 'directory', 'fifo'],
  );
});

test('an old archive marks a directory by a slash', () => {
  assert.equal(one({ name: 'x/', flag: '\0', magic: 'none' }).entry.type, 'directory');
  assert.equal(one({ name: 'x/', flag: '0' }).entry.type, 'file');
});

test('a prefix belongs to the name in POSIX archives only', () => {
  assert.equal(one({ name: 'b', prefix: 'a' }).entry.name, 'a/b');
  assert.equal(one({ name: 'b', prefix: 'a', magic: 'gnu' }).entry.name, 'b');
});

test('numbers beyond octal', () => {
  const { entry } = one({ name: 'x', uid: 4_000_000_000, mtime: -86_400 });
  assert.deepEqual([entry.uid, entry.mtimeMs], [4_000_000_000, -86_400_000]);
});

test('PAX: names, numbers, fractions of a second and binary attributes', () => {
  const capability = Buffer.from([1, 0, 0, 2, 0x80, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const { entry } = one({
    name: 'short',
    pax: {
      path: 'päth/'.repeat(50),
      linkpath: 'l'.repeat(300),
      uid: '3000000000',
      mtime: '1234567890.25',
      'SCHILY.xattr.security.capability': capability,
    },
  });
  assert.equal(entry.name, 'päth/'.repeat(50));
  assert.deepEqual([entry.linkName.length, entry.uid, entry.mtimeMs], [300, 3_000_000_000, 1_234_567_890_250]);
  assert.deepEqual(entry.xattrs.get('security.capability'), capability);
});

test('PAX: the last record of a key counts, an empty one leaves the header alone', () => {
  const twice = Buffer.concat([paxRecord('path', 'first'), paxRecord('path', 'second')]);
  const changed = Buffer.concat([rawEntry({ name: 'h', flag: 'x', data: twice }), rawTar([{ name: 'short' }])]);
  assert.equal(read(changed)[0]?.entry.name, 'second');
  const records = Buffer.concat([paxRecord('path', 'long'), paxRecord('path', '')]);
  const archive = Buffer.concat([rawEntry({ name: 'h', flag: 'x', data: records }), rawTar([{ name: 'short' }])]);
  assert.equal(read(archive)[0]?.entry.name, 'short');
});

test('PAX: global headers mean nothing', () => {
  const global = rawEntry({ name: 'g', flag: 'g', data: paxRecord('path', 'evil') });
  assert.equal(read(Buffer.concat([global, rawTar([{ name: 'x' }])]))[0]?.entry.name, 'x');
});

test('GNU long names end at their NUL', () => {
  const name = rawEntry({ name: '././@LongLink', flag: 'L', data: `${'n'.repeat(200)}\0` });
  const link = rawEntry({ name: '././@LongLink', flag: 'K', data: `${'l'.repeat(200)}\0` });
  const [first] = read(Buffer.concat([name, link, rawTar([{ name: 'x', flag: '2', linkName: 'y' }])]));
  assert.deepEqual([first?.entry.name, first?.entry.linkName], ['n'.repeat(200), 'l'.repeat(200)]);
});

test('only files have data, whatever a header claims', () => {
  const names = read(rawTar([{ name: 'l', flag: '1', linkName: 'x', size: 512 }, { name: 'next' }]));
  assert.deepEqual(
    names.map(({ entry }) => entry.name),
    ['l', 'next'],
  );
});

test('two blocks of zeros end the archive, and what follows is not looked at', () => {
  const archive = Buffer.concat([rawTar([{ name: 'a' }]), rawTar([{ name: 'b' }]), Buffer.from('garbage')]);
  assert.deepEqual(
    read(archive).map(({ entry }) => entry.name),
    ['a'],
  );
});

test('an archive may end without blocks of zeros', () => {
  assert.equal(read(rawEntry({ name: 'a', data: 'x' })).length, 1);
  assert.equal(read(Buffer.alloc(0)).length, 0);
});

const header = rawEntry({ name: 'a' });
const BROKEN: readonly [what: string, archive: Buffer, text: RegExp][] = [
  ['a wrong checksum', Buffer.concat([Buffer.from('x'), header.subarray(1)]), /checksum/],
  ['an end within a header', header.subarray(0, 100), /unexpected end/],
  ['an end within data', rawEntry({ name: 'a', data: 'x'.repeat(1000) }).subarray(0, 600), /unexpected end/],
  ['an end after an extension', rawEntry({ name: 'x', flag: 'x', data: paxRecord('path', 'p') }), /unexpected end/],
  ['a lone block of zeros', Buffer.concat([Buffer.alloc(512), header]), /single block/],
  ['an unknown type', rawEntry({ name: 'a', flag: 'M' }), /unhandled header type "M"/],
  ['a negative size', rawEntry({ name: 'a', size: -5 }), /negative/],
  ['a number that is none', withChecksum(Buffer.from(header).fill('9', 108, 111)), /not an octal number/],
  ['a huge extension', rawEntry({ name: 'x', flag: 'x', size: 2 ** 40 }), /extension header of/],
  ['a huge GNU name', rawEntry({ name: 'x', flag: 'L', size: 2 ** 33 }), /extension header of/],
  ['a PAX record that lies about its length', rawEntry({ name: 'x', flag: 'x', data: '99 path=a\n' }), /PAX record/],
  ['a PAX record without an end', rawEntry({ name: 'x', flag: 'x', data: '9 path=ab' }), /PAX record/],
  ['a PAX size that is none', rawTar([{ name: 'x', pax: { size: '-1' } }]), /not a number/],
  ['NUL in a PAX name', rawTar([{ name: 'x', pax: { path: 'a\0b' } }]), /NUL/],
  [
    'a sparse map beyond the file',
    rawTar([{ name: 'x', data: 'abc', pax: { 'GNU.sparse.size': '10', 'GNU.sparse.map': '9,3' } }]),
    /does not fit/,
  ],
  [
    'a sparse map out of order',
    rawTar([{ name: 'x', data: 'abcd', pax: { 'GNU.sparse.size': '10', 'GNU.sparse.map': '5,2,0,2' } }]),
    /out of order/,
  ],
];

for (const [what, archive, text] of BROKEN) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => read(archive),
      (error) => isImageError(error) && text.test(error.message),
    );
  });
}

test('the size of the pieces makes no difference', () => {
  const entries: RawEntry[] = [
    { name: 'a', data: 'x'.repeat(1_500) },
    { name: 'd', flag: '5' },
    { name: 'b', data: 'y'.repeat(512), pax: { path: 'long/'.repeat(60) } },
    { name: 's', data: 'abcdef', pax: { 'GNU.sparse.size': '100', 'GNU.sparse.map': '10,3,50,3' } },
  ];
  const archive = rawTar(entries);
  const whole = read(archive);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), (step) => {
      assert.deepEqual(read(archive, step), whole);
    }),
    { numRuns: 60 },
  );
});

test('garbage is refused or read, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 2_048 }), fc.boolean(), (bytes, isHeader) => {
      const archive = isHeader
        ? withChecksum(Buffer.concat([Buffer.from(bytes), Buffer.alloc(512)]).subarray(0, 512))
        : Buffer.from(bytes);
      try {
        read(archive);
      } catch (error) {
        assert.ok(isImageError(error), String(error));
      }
    }),
    { numRuns: 500 },
  );
});

const FORMATS: readonly string[][] = [
  ['--format=v7'],
  ['--format=oldgnu', '--sparse'],
  ['--format=gnu', '--sparse'],
  ['--format=ustar'],
  ['--format=posix'],
  ['--format=posix', '--sparse', '--sparse-version=0.0'],
  ['--format=posix', '--sparse', '--sparse-version=0.1'],
  ['--format=posix', '--sparse', '--sparse-version=1.0'],
];

for (const options of FORMATS) {
  test(`what GNU tar writes with ${options.join(' ')}`, needs('tar'), () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tar-'));
    try {
      const expected = fillFolder(folder, options.includes('--format=v7') ? 60 : 200);
      const names = Object.keys(expected);
      const archive = execFileSync('tar', [...options, '-C', folder, '-cf', '-', ...names], {
        maxBuffer: 2 ** 30,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const found = read(archive, 10_007).filter(({ entry }) => entry.type === 'file');
      assert.deepEqual(Object.fromEntries(found.map(({ entry, data }) => [entry.name, data])), expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** Plain, long-named and sparse files (with many pieces, so that old headers need continuation blocks). */
function fillFolder(folder: string, longestName: number): Record<string, Buffer> {
  const long = 'n'.repeat(longestName > 100 ? 90 : longestName);
  const nested = longestName > 100 ? `${'d'.repeat(50)}/${long}` : long;
  mkdirSync(path.dirname(path.join(folder, nested)), { recursive: true });
  writeFileSync(path.join(folder, nested), 'long');
  writeFileSync(path.join(folder, 'plain'), 'p'.repeat(5_000));
  writeFileSync(path.join(folder, 'empty'), '');
  symlinkSync('plain', path.join(folder, 'link'));
  const sparse = Buffer.alloc(4 * 2 ** 20);
  const fd = openSync(path.join(folder, 'holes'), 'w');
  for (let at = 0; at < 40; at += 1) {
    const piece = Buffer.alloc(4_096, `${at % 10}`);
    piece.copy(sparse, at * 100_000 - ((at * 100_000) % 4_096));
    writeSync(fd, piece, 0, piece.length, at * 100_000 - ((at * 100_000) % 4_096));
  }
  ftruncateSync(fd, sparse.length);
  closeSync(fd);
  return { [nested]: Buffer.from('long'), plain: Buffer.alloc(5_000, 'p'), empty: Buffer.alloc(0), holes: sparse };
}
