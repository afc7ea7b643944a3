/**
 * Layers that mean harm. Each is refused with the error named here, or its effect stays within the layer; in either
 * case a directory outside, which many of them aim at, is as it was.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { isImageError, type ImageErrorCode } from '#runtime/image/errors.ts';
import { type RawEntry, rawTar } from '#testing/raw-tar.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { treeSnapshot } from '#testing/tree-snapshot.ts';
import { type LayerOptions, unpackTar } from '#testing/unpacked-layer.ts';

const ROOT = needs('root');

// Nothing here names a directory that a machine has, beside a folder of the test's own: should the code under test be
// broken, its tests must not write into the machine that they run on.

/** A folder with a file outside of every layer. */
function makeCanary(folder: TemporaryFolder): string {
  const canary = folder.at('canary');
  mkdirSync(canary);
  writeFileSync(folder.at('canary', 'file'), 'untouched');
  chmodSync(folder.at('canary', 'file'), 0o640);
  return canary;
}

type Entries = (canary: string) => readonly RawEntry[];

const dir = (name: string): RawEntry => ({ name, flag: '5', mode: 0o755 });
const link = (name: string, linkName: string): RawEntry => ({ name, flag: '2', linkName });
const hard = (name: string, linkName: string): RawEntry => ({ name, flag: '1', linkName });
const file = (name: string, data = 'evil'): RawEntry => ({ name, data });
const up = (canary: string) => `${'../'.repeat(20)}${canary.slice(1)}`;

const REFUSED: readonly [what: string, code: ImageErrorCode, text: RegExp, entries: Entries, options?: LayerOptions][] =
  [
    ['a path that climbs', 'UnsafePath', /"\.\.\/evil" climbs out/, () => [file('../evil')]],
    ['a path that climbs further down', 'UnsafePath', /climbs out/, () => [file('a/b/../../../evil')]],
    ['a path that climbs and comes back', 'UnsafePath', /climbs out/, () => [file('a/../b')]],
    ['an absolute path that climbs', 'UnsafePath', /climbs out/, (canary) => [file(`/..${canary}/file`)]],
    [
      'writing through an absolute link',
      'UnsafePath',
      /"out" is a link that leads to nothing within the layer/,
      (canary) => [link('out', canary), file('out/file')],
    ],
    [
      'writing through a link that climbs',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [link('out', up(canary)), file('out/file')],
    ],
    [
      'writing through a chain of links',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [link('a', 'b'), link('b', 'c'), link('c', canary), file('a/file')],
    ],
    [
      'writing through a link in a directory',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [dir('d'), link('d/e', canary), file('d/e/f/g')],
    ],
    ['a directory through a link', 'UnsafePath', /leads to nothing/, (canary) => [link('out', canary), dir('out/new')]],
    ['links in a circle', 'UnsafePath', /cannot be resolved/, () => [link('a', 'b'), link('b', 'a'), file('a/x')]],
    [
      'a link to /proc',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [link('p', '/proc/self/root'), file(`p${canary}/file`)],
    ],
    [
      'a directory swapped for a link',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [dir('d'), file('d/ok', 'ok'), link('d', canary), file('d/file')],
    ],
    [
      'a link swapped in below a cached parent',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [dir('a'), dir('a/b'), file('a/b/1'), link('a', canary), file('a/b/file')],
    ],
    [
      'a hard link to an absolute path',
      'UnsafePath',
      /which is not in the layer/,
      (canary) => [hard('h', `${canary}/file`)],
    ],
    ['a hard link that climbs', 'UnsafePath', /climbs out/, (canary) => [hard('h', `${up(canary)}/file`)]],
    [
      'a hard link through a link',
      'UnsafePath',
      /which is not in the layer/,
      (canary) => [link('s', canary), hard('h', 's/file')],
    ],
    ['a hard link to nothing', 'UnsafePath', /"h" links to "gone", which is not/, () => [hard('h', 'gone')]],
    ['a hard link to itself', 'UnsafePath', /which is not in the layer/, () => [file('h'), hard('h', 'h')]],
    ['a hard link to a directory', 'UnsafePath', /which is not in the layer/, () => [dir('d'), hard('h', 'd')]],
    ['a hard link to the root', 'UnsafePath', /which is not in the layer/, () => [hard('h', '/')]],
    ['a whiteout of ..', 'UnsafePath', /not a valid whiteout/, () => [file('a/.wh...')]],
    ['a whiteout of .', 'UnsafePath', /not a valid whiteout/, () => [file('.wh..')]],
    ['a whiteout of nothing', 'UnsafePath', /not a valid whiteout/, () => [file('.wh.')]],
    ['a whiteout as a directory', 'UnsafePath', /not a valid whiteout/, () => [file('.wh.a/b')]],
    [
      'a whiteout through a link',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [link('out', canary), file('out/.wh.file')],
    ],
    [
      'an opaque mark through a link',
      'UnsafePath',
      /leads to nothing/,
      (canary) => [link('out', canary), file('out/.wh..wh..opq')],
    ],
    ['a link in the place of the root', 'UnsafePath', /would replace the root/, (canary) => [link('./', canary)]],
    ['a file in the place of the root', 'UnsafePath', /would replace the root/, () => [file('/')]],
    [
      'a block device',
      'DeviceNode',
      /"dev\/sda" is a block device \(8:0\)/,
      () => [{ name: 'dev/sda', flag: '4', device: { major: 8, minor: 0 } }],
    ],
    [
      'the memory device',
      'DeviceNode',
      /character device \(1:1\)/,
      () => [{ name: 'dev/mem', flag: '3', device: { major: 1, minor: 1 } }],
    ],
    [
      'a standard device elsewhere',
      'DeviceNode',
      /"tmp\/null"/,
      () => [{ name: 'tmp/null', flag: '3', device: { major: 1, minor: 3 } }],
    ],
    [
      'a whiteout in disguise',
      'DeviceNode',
      /\(0:0\)/,
      () => [{ name: 'etc', flag: '3', device: { major: 0, minor: 0 } }],
    ],
    ['a file as a directory', 'MalformedLayer', /"f" is used as a directory/, () => [file('f'), file('f/x')]],
    ['a FIFO as a directory', 'MalformedLayer', /used as a directory/, () => [{ name: 'f', flag: '6' }, file('f/x')]],
    ['a link without a target', 'MalformedLayer', /without a target/, () => [link('l', '')]],
    ['NUL in a name', 'MalformedLayer', /NUL/, () => [{ name: 'x', pax: { path: 'a\0/../b' } }]],
    ['a huge declared size', 'LimitExceeded', /file of 1099511627776 bytes/, () => [{ name: 'x', size: 2 ** 40 }]],
    [
      'a huge size in PAX',
      'LimitExceeded',
      /file of 9007199254740991 bytes/,
      () => [{ name: 'x', pax: { size: '9007199254740991' } }],
    ],
    [
      'a huge hole',
      'LimitExceeded',
      /file of 1099511627776 bytes/,
      () => [{ name: 'x', pax: { 'GNU.sparse.size': `${2 ** 40}`, 'GNU.sparse.map': '' } }],
    ],
    [
      'more than a layer may hold',
      'LimitExceeded',
      /unpacked size/,
      () => [file('a', 'x'.repeat(900)), file('b', 'x'.repeat(900))],
      { limits: { totalBytes: 1_500 } },
    ],
    [
      'too many entries',
      'LimitExceeded',
      /number of entries/,
      () => [file('a'), file('b'), file('c')],
      { limits: { entries: 2 } },
    ],
    ['deep nesting', 'LimitExceeded', /path of 257 components/, () => [{ name: 'x', pax: { path: 'd/'.repeat(257) } }]],
    ['a long path', 'LimitExceeded', /path of 5000 bytes/, () => [{ name: 'x', pax: { path: 'd'.repeat(5_000) } }]],
    ['a long name', 'LimitExceeded', /file name of 256 bytes/, () => [{ name: 'x', pax: { path: 'd'.repeat(256) } }]],
    [
      'a long link',
      'LimitExceeded',
      /link target of 4096 bytes/,
      () => [{ name: 'x', flag: '2', pax: { linkpath: 't'.repeat(4_096) } }],
    ],
    [
      'another content than promised',
      'DigestMismatch',
      /unexpected digest/,
      () => [file('a')],
      { diffId: `sha256:${'0'.repeat(64)}` },
    ],
    [
      'bytes that are no archive',
      'MalformedLayer',
      /unexpected end|checksum/,
      () => [],
      { blob: Buffer.from('no archive') },
    ],
    [
      'broken compression',
      'MalformedLayer',
      /invalid gzip data/,
      () => [file('a')],
      { blob: Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]) },
    ],
    [
      'a compression that is not for images',
      'UnsupportedMediaType',
      /bzip2/,
      () => [],
      { blob: Buffer.from('BZh91AY&SY') },
    ],
    [
      'an attribute that the kernel does not take',
      'MalformedLayer',
      /security\.capability/,
      () => [{ name: 'x', pax: { 'SCHILY.xattr.security.capability': 'nonsense' } }],
    ],
  ];

for (const [what, code, text, entries, options] of REFUSED) {
  test(`refused: ${what}`, ROOT, async () => {
    using folder = new TemporaryFolder();
    const canary = makeCanary(folder);
    const before = treeSnapshot(canary);
    await assert.rejects(unpackTar(folder, rawTar(entries(canary)), options), (error) => {
      assert.ok(isImageError(error), String(error));
      assert.match(error.message, text);
      assert.match(error.message, /^failed to extract layer sha256:[0-9a-f]{64}: /);
      assert.equal(error.code, code);
      return true;
    });
    assert.deepEqual(treeSnapshot(canary), before);
    assert.ok(!existsSync(folder.at('evil')));
  });
}

const CONTAINED: readonly [
  what: string,
  entries: Entries,
  expected: (tree: ReturnType<typeof treeSnapshot>) => void,
][] = [
  [
    'absolute names count from the root',
    (canary) => [file(`${canary}/file`)],
    (tree) =>
      assert.equal(Object.keys(tree).length > 0 && Object.values(tree).filter(({ type }) => type === 'file').length, 1),
  ],
  [
    'an absolute link within the image is followed within the image',
    () => [dir('inner-run'), dir('var'), link('var/run', '/inner-run'), file('var/run/x', 'ok')],
    (tree) => assert.equal(tree['inner-run/x']?.content, 'ok'),
  ],
  [
    'a link that climbs ends at the root',
    () => [dir('inner-etc'), link('up', '../../../../inner-etc'), file('up/x', 'ok')],
    (tree) => assert.equal(tree['inner-etc/x']?.content, 'ok'),
  ],
  [
    'a hard link to a link is the link, and a file in its place does not write through it',
    (canary) => [link('s', `${canary}/file`), hard('h', 's'), file('h', 'evil')],
    (tree) => {
      assert.equal(tree['h']?.content, 'evil');
      assert.equal(tree['s']?.type, 'symlink');
    },
  ],
  [
    'a file over a link replaces the link',
    (canary) => [link('s', `${canary}/file`), file('s', 'evil')],
    (tree) => assert.deepEqual([tree['s']?.type, tree['s']?.content], ['file', 'evil']),
  ],
  [
    'a directory over a link replaces the link',
    (canary) => [link('s', canary), dir('s'), file('s/file', 'mine')],
    (tree) => assert.equal(tree['s/file']?.content, 'mine'),
  ],
  [
    'mode, owner and time of a link do not reach its target',
    (canary) => [{ ...link('s', `${canary}/file`), mode: 0o4777, uid: 1_000, gid: 1_000, mtime: 5 }],
    (tree) => assert.deepEqual([tree['s']?.uid, tree['s']?.mtime], [1_000, 5]),
  ],
  [
    'standard devices in /dev are left out',
    () => [dir('dev'), { name: 'dev/null', flag: '3', device: { major: 1, minor: 3 } }],
    (tree) => assert.deepEqual(Object.keys(tree), ['dev']),
  ],
  [
    'names of any bytes but NUL and slash',
    () => [file('new\nline'), file('\u001b[31m'), file('\xff\xfe'), file('-rf'), dir('\xe9\x80'), file('\xe9\x80/x')],
    (tree) =>
      assert.deepEqual(
        Object.keys(tree).sort(),
        ['-rf', '\u001b[31m', 'new\nline', '\xe9\x80', '\xe9\x80/x', '\xff\xfe'].sort(),
      ),
  ],
  [
    'bookkeeping of AUFS is left out',
    () => [dir('.wh..wh.plnk'), file('.wh..wh.plnk/1.2'), file('.wh..wh.aufs'), file('kept')],
    (tree) => assert.deepEqual(Object.keys(tree), ['kept']),
  ],
  [
    'a later entry takes the place of an earlier one, whatever both are',
    () => [file('x'), dir('x'), file('x/y'), { name: 'x', flag: '6' }, link('x', 'z'), file('x', 'last')],
    (tree) => assert.deepEqual([Object.keys(tree), tree['x']?.content], [['x'], 'last']),
  ],
];

for (const [what, entries, expected] of CONTAINED) {
  test(`contained: ${what}`, ROOT, async () => {
    using folder = new TemporaryFolder();
    const canary = makeCanary(folder);
    const before = treeSnapshot(canary);
    const { root } = await unpackTar(folder, rawTar(entries(canary)));
    expected(treeSnapshot(root));
    assert.deepEqual(treeSnapshot(canary), before);
  });
}

const BOMB_LIMITS = { ratio: 50, ratioFloorBytes: 2 ** 20 };
const bomb = () => rawTar([{ name: 'zeros', data: Buffer.alloc(64 * 2 ** 20) }]);

for (const compression of ['gzip', 'zstd'] as const) {
  test(`refused: a bomb of ${compression}, long before it has gone off`, ROOT, async () => {
    using folder = new TemporaryFolder();
    const tar = bomb();
    const options: LayerOptions = {
      limits: BOMB_LIMITS,
      ...(compression === 'zstd' ? { blob: zstdCompressSync(tar) } : {}),
    };
    await assert.rejects(unpackTar(folder, tar, options), { code: 'LimitExceeded', message: /compression ratio/ });
    const written = Object.values(treeSnapshot(folder.path)).reduce(
      (sum, node) => sum + (node.type === 'file' ? (node.content ?? '').length : 0),
      0,
    );
    assert.ok(written < 32 * 2 ** 20, `${written} bytes were written`);
  });
}

test('a large file that compresses well is no bomb', ROOT, async () => {
  using folder = new TemporaryFolder();
  const { facts } = await unpackTar(folder, bomb());
  assert.equal(facts.bytes, 64 * 2 ** 20);
});

test('an abort ends an unpacking at the next piece', ROOT, async () => {
  using folder = new TemporaryFolder();
  const reason = new Error('enough');
  await assert.rejects(unpackTar(folder, bomb(), { signal: AbortSignal.abort(reason) }), reason);
});

test('attributes that mean something to the overlay are not taken from an image', ROOT, async () => {
  using folder = new TemporaryFolder();
  const { getXattr } = await import('#sys/xattr.ts');
  const pax = {
    'SCHILY.xattr.trusted.overlay.redirect': '/etc',
    'SCHILY.xattr.trusted.overlay.opaque': 'y',
    'SCHILY.xattr.user.overlay.opaque': 'y',
    'SCHILY.xattr.user.kept': 'yes',
  };
  const { root } = await unpackTar(folder, rawTar([{ ...dir('d'), pax }]));
  const names = ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.opaque', 'user.kept'];
  assert.deepEqual(
    names.map((name) => getXattr(`${root}/d`, name)?.toString()),
    [undefined, undefined, undefined, 'yes'],
  );
});
