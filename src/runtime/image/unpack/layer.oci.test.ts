/** What becomes of honest layers: every kind of entry, whiteouts, parents from below, and random trees. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type RawEntry, rawTar } from '#testing/raw-tar.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { treeSnapshot } from '#testing/tree-snapshot.ts';
import { unpackTar } from '#testing/unpacked-layer.ts';
import { getXattr, setXattr } from '#sys/xattr.ts';

const ROOT = needs('root');
const MTIME = 1_600_000_000;

const dir = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  flag: '5',
  mode: 0o755,
  mtime: MTIME,
  ...more,
});
const file = (name: string, data = '', more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  data,
  mtime: MTIME,
  ...more,
});
const whiteout = (name: string) => file(name);
const OPAQUE = 'trusted.overlay.opaque';

test('owners, modes, times, links and attributes', ROOT, async () => {
  using folder = new TemporaryFolder();
  const capability = Buffer.from('0100000280ff0000000000000000000000000000', 'hex');
  const entries: RawEntry[] = [
    dir('d', { mode: 0o2750, uid: 10, gid: 20 }),
    file('d/setuid', 'x', {
      mode: 0o4755,
      uid: 5,
      gid: 6,
      pax: { mtime: '1600000000.5', 'SCHILY.xattr.user.note': 'n', 'SCHILY.xattr.security.capability': capability },
    }),
    { name: 'd/link', flag: '2', linkName: '../elsewhere', uid: 7, gid: 8, mtime: MTIME },
    { name: 'd/hard', flag: '1', linkName: 'd/setuid', uid: 99, mode: 0 },
    { name: 'fifo', flag: '6', mode: 0o622, uid: 3, gid: 4, mtime: MTIME },
    dir('sticky', { mode: 0o1777 }),
  ];
  const { root, facts } = await unpackTar(folder, rawTar(entries));
  const common = { type: 'file', mode: 0o4755, uid: 5, gid: 6, mtime: MTIME, content: 'x' };
  assert.deepEqual(treeSnapshot(root), {
    d: { type: 'directory', mode: 0o2750, uid: 10, gid: 20, mtime: MTIME },
    'd/hard': common,
    'd/link': { type: 'symlink', mode: 0, uid: 7, gid: 8, mtime: MTIME, content: '../elsewhere' },
    'd/setuid': common,
    fifo: { type: 'fifo', mode: 0o622, uid: 3, gid: 4, mtime: MTIME },
    sticky: { type: 'directory', mode: 0o1777, uid: 0, gid: 0, mtime: MTIME },
  });
  assert.equal(statSync(`${root}/d/setuid`).ino, statSync(`${root}/d/hard`).ino);
  assert.equal(statSync(`${root}/d/setuid`).mtimeMs, MTIME * 1_000 + 500);
  assert.deepEqual(getXattr(`${root}/d/setuid`, 'security.capability'), capability);
  assert.equal(getXattr(`${root}/d/setuid`, 'user.note')?.toString(), 'n');
  assert.deepEqual(facts, { entries: 6, bytes: 1, independent: true, opaqueRoot: false });
});

test('whiteouts become devices, opaque marks an attribute', ROOT, async () => {
  using folder = new TemporaryFolder();
  const { root } = await unpackTar(
    folder,
    rawTar([
      dir('d'),
      whiteout('d/.wh.gone'),
      whiteout('.wh.top'),
      dir('o'),
      whiteout('o/.wh..wh..opq'),
      file('o/new', 'n'),
    ]),
  );
  const tree = treeSnapshot(root);
  assert.deepEqual(Object.keys(tree), ['d', 'd/gone', 'o', 'o/new', 'top']);
  for (const name of ['d/gone', 'top']) assert.deepEqual([tree[name]?.type, tree[name]?.device], ['character', '0:0']);
  assert.equal(getXattr(`${root}/o`, OPAQUE)?.toString(), 'y');
  assert.equal(getXattr(`${root}/d`, OPAQUE), undefined);
});

test('a whiteout hides lower layers only: what this layer has under the same name stays', ROOT, async () => {
  using folder = new TemporaryFolder();
  const before = [
    whiteout('.wh.f'),
    file('f', 'new'),
    whiteout('.wh.d'),
    dir('d'),
    file('d/x'),
    whiteout('.wh.i'),
    file('i/x'),
  ];
  const after = [
    file('f', 'new'),
    whiteout('.wh.f'),
    dir('d'),
    file('d/x'),
    whiteout('.wh.d'),
    file('i/x'),
    whiteout('.wh.i'),
  ];
  for (const entries of [before, after]) {
    const { root } = await unpackTar(folder, rawTar(entries));
    const tree = treeSnapshot(root);
    assert.deepEqual(Object.keys(tree), ['d', 'd/x', 'f', 'i', 'i/x']);
    assert.equal(tree['f']?.content, 'new');
    assert.deepEqual(
      [getXattr(`${root}/d`, OPAQUE)?.toString(), getXattr(`${root}/i`, OPAQUE)?.toString()],
      ['y', 'y'],
    );
  }
});

test('an opaque root is a fact of the layer', ROOT, async () => {
  using folder = new TemporaryFolder();
  const { facts } = await unpackTar(folder, rawTar([whiteout('.wh..wh..opq'), file('x')]));
  assert.equal(facts.opaqueRoot, true);
});

test('the root keeps its own attributes', ROOT, async () => {
  using folder = new TemporaryFolder();
  const { root } = await unpackTar(folder, rawTar([dir('./', { mode: 0o700, uid: 5 }), file('./x')]));
  assert.deepEqual([statSync(root).mode & 0o7777, statSync(root).uid], [0o755, 0]);
});

test('a parent that the archive does not name looks as it does in the nearest layer below', ROOT, async () => {
  using folder = new TemporaryFolder();
  const below = await unpackTar(
    folder,
    rawTar([dir('tmp', { mode: 0o1777, uid: 3, gid: 4 }), dir('tmp/sub', { mode: 0o700 })]),
  );
  const between = await unpackTar(folder, rawTar([file('other')]));
  const lowerDirs = [between.root, below.root];
  const { root, facts } = await unpackTar(folder, rawTar([file('tmp/x'), file('new/y')]), { lowerDirs });
  const tree = treeSnapshot(root);
  assert.deepEqual(tree['tmp'], { type: 'directory', mode: 0o1777, uid: 3, gid: 4, mtime: MTIME });
  assert.deepEqual([tree['new']?.mode, tree['new']?.uid], [0o755, 0]);
  assert.equal(facts.independent, false);
});

test('links of lower layers do not lead out of them', ROOT, async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('outside'), { mode: 0o700 });
  const below = await unpackTar(folder, rawTar([{ name: 'out', flag: '2', linkName: folder.at('outside') }]));
  const { root } = await unpackTar(folder, rawTar([file('out/x')]), { lowerDirs: [below.root] });
  assert.equal(treeSnapshot(root)['out']?.mode, 0o755);
});

test('sparse files keep their holes', ROOT, async () => {
  using folder = new TemporaryFolder();
  const pax = { 'GNU.sparse.size': String(64 * 2 ** 20), 'GNU.sparse.map': '1048576,4' };
  const { root, facts } = await unpackTar(folder, rawTar([file('s', 'data', { pax })]));
  const stats = statSync(`${root}/s`);
  assert.deepEqual([stats.size, facts.bytes], [64 * 2 ** 20, 4]);
  assert.ok(stats.blocks * 512 < 2 ** 20);
});

test('gzip of several members, zstd of several frames, and no compression', ROOT, async () => {
  using folder = new TemporaryFolder();
  const tar = rawTar([file('a', 'x'.repeat(100_000))]);
  const half = tar.length >> 1;
  const zstd = Buffer.concat([zstdCompressSync(tar.subarray(0, half)), zstdCompressSync(tar.subarray(half))]);
  for (const blob of [tar, zstd]) {
    const { root } = await unpackTar(folder, tar, { blob });
    assert.equal(treeSnapshot(root)['a']?.content?.length, 100_000);
  }
});

test('an overlay of unpacked layers shows what the image means', ROOT, async () => {
  using folder = new TemporaryFolder();
  const lower = await unpackTar(
    folder,
    rawTar([dir('a'), file('a/1', 'one'), file('a/2', 'two'), dir('b'), file('b/1', 'one'), file('c', 'old')]),
  );
  const upper = await unpackTar(
    folder,
    rawTar([whiteout('a/.wh.1'), dir('b'), whiteout('b/.wh..wh..opq'), file('b/new', 'n'), file('c', 'new')]),
    { lowerDirs: [lower.root] },
  );
  const { mountOverlay, unmount } = await import('#sys/mount.ts');
  const target = folder.at('merged');
  mkdirSync(target);
  mountOverlay({ target, lower: [upper.root, lower.root] });
  try {
    const files = Object.entries(treeSnapshot(target)).flatMap(([name, node]) =>
      node.type === 'file' ? [[name, node.content]] : [],
    );
    assert.deepEqual(files, [
      ['a/2', 'two'],
      ['b/new', 'n'],
      ['c', 'new'],
    ]);
  } finally {
    unmount(target);
  }
});

interface Node {
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo';
  readonly name: string;
  readonly parent: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly text: string;
}

const NAME = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.stringMatching(/^[ -.0-9A-Z_~é\n]{1,12}$/),
  fc.stringMatching(/^[a-z]{90,140}$/),
);
const NODE = fc.record({
  kind: fc.constantFrom('file', 'file', 'directory', 'directory', 'symlink', 'fifo'),
  name: NAME.filter((name) => name !== '.' && name !== '..' && !name.startsWith('.wh.')),
  parent: fc.nat(),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 3_000_000_000 }),
  gid: fc.integer({ min: 0, max: 3_000_000_000 }),
  mtime: fc.integer({ min: 0, max: 4_000_000_000 }),
  text: fc.oneof(fc.string({ maxLength: 20 }), fc.string({ minLength: 400, maxLength: 1_500 })),
}) as fc.Arbitrary<Node>;

/** Gives every node a place below an earlier directory, or at the top; names that are taken are left out. */
function place(nodes: readonly Node[]): { path: string; node: Node }[] {
  const placed: { path: string; node: Node }[] = [];
  const folders = [''];
  for (const node of nodes) {
    const path = `${folders[node.parent % folders.length]}${node.name}`;
    if (placed.some((other) => other.path === path)) continue;
    placed.push({ path, node });
    if (node.kind === 'directory') folders.push(`${path}/`);
  }
  return placed;
}

const bytes = (text: string) => Buffer.from(text).toString('latin1');

function entryOf({ path, node }: { path: string; node: Node }): RawEntry {
  const { kind, mode, uid, gid, mtime, text } = node;
  const flags = { file: '0', directory: '5', symlink: '2', fifo: '6' };
  const target = bytes(text).replaceAll('\0', '').slice(0, 90) || 't';
  return {
    name: 'x',
    flag: flags[kind],
    mode,
    uid,
    gid,
    mtime,
    pax: { path: bytes(path) },
    ...(kind === 'file' ? { data: bytes(text) } : {}),
    ...(kind === 'symlink' ? { linkName: target } : {}),
  };
}

function expectedOf(placed: readonly { path: string; node: Node }[]): ReturnType<typeof treeSnapshot> {
  const nodes = placed.map(({ path, node }) => {
    const { kind, mode, uid, gid, mtime } = node;
    const entry = entryOf({ path, node });
    const content =
      kind === 'file' ? { content: entry.data as string } : kind === 'symlink' ? { content: entry.linkName ?? '' } : {};
    return [bytes(path), { type: kind, mode: kind === 'symlink' ? 0 : mode, uid, gid, mtime, ...content }] as const;
  });
  return Object.fromEntries(nodes.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

test('any tree comes out as it went in, as it does with GNU tar', needs('root', 'tar'), async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(NODE, { maxLength: 40 }), async (nodes) => {
      using folder = new TemporaryFolder();
      const placed = place(nodes);
      const tar = rawTar(placed.map(entryOf));
      const { root } = await unpackTar(folder, tar);
      const expected = expectedOf(placed);
      assert.deepEqual(treeSnapshot(root), expected);
      const other = folder.at('tar');
      mkdirSync(other);
      writeFileSync(folder.at('a.tar'), tar);
      const options = [
        '--same-owner',
        '--numeric-owner',
        '--delay-directory-restore',
        '-p',
        '-C',
        other,
        '-xf',
        folder.at('a.tar'),
      ];
      if (placed.length > 0) execFileSync('tar', options, { stdio: 'pipe' });
      assert.deepEqual(treeSnapshot(other), expected);
    }),
    { numRuns: 60 },
  );
});

test('attributes of this file system survive GNU tar and us', needs('root', 'tar'), async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('in'));
  writeFileSync(folder.at('in', 'x'), 'x');
  setXattr(folder.at('in', 'x'), 'user.binary', Buffer.from([0, 255, 128, 10]));
  const options = ['--format=posix', '--xattrs', '--xattrs-include=*', '-C', folder.at('in'), '-cf', '-', '.'];
  const { root } = await unpackTar(folder, execFileSync('tar', options));
  assert.deepEqual(getXattr(`${root}/x`, 'user.binary'), Buffer.from([0, 255, 128, 10]));
});
