import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ArchiveFormat, buildArchive, type ImageBuild } from '#runtime/image/builder.ts';
import type { TarEntry } from '#runtime/image/unpack/tar-entry.ts';
import { TarReader } from '#runtime/image/unpack/tar-reader.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

async function bytesOf(builds: readonly ImageBuild[], format: ArchiveFormat = 'oci-layout'): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(buildArchive(builds, format)));
}

function read(archive: Buffer): Map<string, { entry: TarEntry; data: Buffer }> {
  const files = new Map<string, { entry: TarEntry; data: Buffer }>();
  let current: { entry: TarEntry; data: Buffer } | undefined;
  const visitor = {
    entry: (entry: TarEntry) => {
      current = { entry, data: Buffer.alloc(entry.size) };
      files.set(entry.name, current);
    },
    data: (bytes: Buffer, position: number) => void bytes.copy(current?.data ?? Buffer.alloc(0), position),
    end: () => {},
  };
  const reader = new TarReader(visitor, { maxHeaderBytes: 2 ** 20 });
  reader.push(archive);
  reader.finish();
  return files;
}

const parse = (files: ReturnType<typeof read>, name: string) =>
  JSON.parse(files.get(name)?.data.toString() ?? '') as never;

const IMAGE: ImageBuild = {
  names: ['dev.local/x:1', 'dev.local/x:2'],
  layers: [
    [
      { kind: 'file', path: '/usr/share/ünïcode', content: 'text', mode: 0o600, uid: 5, gid: 6 },
      { kind: 'symlink', path: 'link', target: '/usr' },
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
    ],
    [{ kind: 'file', path: 'long/'.repeat(40), content: Buffer.alloc(70_000, 7) }],
  ],
  config: { entrypoint: ['/app'], env: { A: '1' }, user: '5', exposedPorts: ['8080/tcp'], labels: { l: 'v' } },
  platform: { os: 'linux', architecture: 'amd64' },
};

test('the same input gives the same bytes', async () => {
  const [first, second] = [await bytesOf([IMAGE]), await bytesOf([IMAGE])];
  assert.ok(first.equals(second));
  const shuffled = { ...IMAGE, layers: IMAGE.layers.map((layer) => layer.toReversed()) };
  assert.ok(first.equals(await bytesOf([shuffled])));
});

test('an OCI layout: every digest is that of its blob, every name is there', async () => {
  const files = read(await bytesOf([IMAGE]));
  for (const [name, { data }] of files) {
    const hex = /^blobs\/sha256\/(.*)$/.exec(name)?.[1];
    if (hex !== undefined) assert.equal(createHash('sha256').update(data).digest('hex'), hex);
  }
  const index: { manifests: { digest: string; annotations: Record<string, string> }[] } = parse(files, 'index.json');
  assert.deepEqual(
    index.manifests.map(({ annotations }) => annotations['io.containerd.image.name']),
    IMAGE.names,
  );
  const blob = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const manifest: { config: { digest: string }; layers: { digest: string }[] } = parse(
    files,
    blob(index.manifests[0]?.digest ?? ''),
  );
  const config: { rootfs: { diff_ids: string[] }; config: Record<string, unknown> } = parse(
    files,
    blob(manifest.config.digest),
  );
  assert.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map(({ digest }) => digest),
  );
  assert.deepEqual(
    [config.config['Entrypoint'], config.config['Env'], config.config['ExposedPorts']],
    [['/app'], ['A=1'], { '8080/tcp': {} }],
  );
  const [first, second] = manifest.layers.map(({ digest }) => read(files.get(blob(digest))?.data ?? Buffer.alloc(0)));
  assert.deepEqual(
    [...(first?.keys() ?? [])],
    ['link', 'tmp', 'usr', 'usr/share', Buffer.from('usr/share/ünïcode').toString('latin1')],
  );
  assert.equal(second?.get('long/'.repeat(40).slice(0, -1))?.data.length, 70_000);
});

test('a docker archive lists configurations, tags and layers', async () => {
  const files = read(await bytesOf([IMAGE], 'docker-archive'));
  const [entry]: { Config: string; RepoTags: string[]; Layers: string[] }[] = parse(files, 'manifest.json');
  assert.ok(entry && files.has(entry.Config) && entry.Layers.every((layer) => files.has(layer)));
  assert.deepEqual(entry.RepoTags, IMAGE.names);
});

test('images that share a layer share its bytes', async () => {
  const twice = await bytesOf([IMAGE, { ...IMAGE, names: ['dev.local/y:1'] }]);
  assert.ok(twice.length < (await bytesOf([IMAGE])).length + 4_096);
});

test('files and trees of this machine, whatever their times and owners', async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('tree/sub'), { recursive: true });
  writeFileSync(folder.at('tree/sub/file'), 'in');
  writeFileSync(folder.at('tree/program'), 'run');
  chmodSync(folder.at('tree/program'), 0o700);
  symlinkSync('sub/file', folder.at('tree/link'));
  const build: ImageBuild = {
    names: ['a:1'],
    layers: [
      [
        { kind: 'tree', path: 'app', source: folder.at('tree'), uid: 9 },
        { kind: 'copy', path: 'bin/copy', source: folder.at('tree/program') },
      ],
    ],
    config: {},
  };
  const before = await bytesOf([build], 'docker-archive');
  utimesSync(folder.at('tree/program'), 1, 1);
  assert.ok(before.equals(await bytesOf([build], 'docker-archive')));
  const outer = read(before);
  const [entry]: { Layers: string[] }[] = parse(outer, 'manifest.json');
  const layer = read(outer.get(entry?.Layers[0] ?? '')?.data ?? Buffer.alloc(0));
  assert.deepEqual([...layer.keys()], ['app', 'app/link', 'app/program', 'app/sub', 'app/sub/file', 'bin', 'bin/copy']);
  const program = layer.get('app/program')?.entry;
  assert.deepEqual([program?.mode, program?.uid, program?.mtimeMs], [0o755, 9, 0]);
});

test('a file that is not there fails the archive', async () => {
  const build: ImageBuild = {
    names: ['a:1'],
    layers: [[{ kind: 'copy', path: 'x', source: '/no/such/file' }]],
    config: {},
  };
  await assert.rejects(bytesOf([build]), { code: 'ENOENT' });
});

test('GNU tar reads what we write', needs('tar'), async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.at('a.tar'), await bytesOf([IMAGE]));
  const names = execFileSync('tar', ['-tf', folder.at('a.tar')], { encoding: 'utf8' })
    .trim()
    .split('\n');
  assert.ok(names.includes('index.json') && names.includes('oci-layout'));
});
