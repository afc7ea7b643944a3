/** `pinnace image load|pull|list|rm` and garbage collection, with archives of skopeo, buildah and our own builder. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { systemClock } from '#base/clock.ts';
import { collectUnused, listImages, loadImages, pullImage, removeImages } from '#runtime/image/commands.ts';
import type { Digest } from '#runtime/image/digest.ts';
import { ImageError, type ImageErrorCode } from '#runtime/image/errors.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import { Buildah } from '#testing/buildah.ts';
import { RegistryServer } from '#testing/registry.ts';
import { findProgram, needs } from '#testing/requirements.ts';
import { rawTar } from '#testing/raw-tar.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { treeSnapshot } from '#testing/tree-snapshot.ts';
import { testImage, writeImages } from '../../../test/images/build.ts';

const signal = new AbortController().signal;
const NOTHING: ReadonlySet<Digest> = new Set();

async function failureOf(promise: Promise<unknown>): Promise<ImageError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ImageError, String(error));
  return error;
}

/** Everything in a store but its locks and what is on its way. */
function contents(service: ImageService): string[] {
  return readdirSync(service.layout.root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('lock') && !name.startsWith('ingest/'))
    .toSorted((left, right) => (left < right ? -1 : 1));
}

describe('image commands', needs('root', 'docker-registry', 'skopeo', 'buildah', 'compiler'), () => {
  let folder: TemporaryFolder;
  let buildah: Buildah;
  let stores = 0;
  const openStore = (root = folder.at(`store-${(stores += 1)}`)) => ImageService.open({ root, clock: systemClock });
  const skopeo = (...args: string[]) =>
    execFileSync(findProgram('skopeo') ?? 'skopeo', ['--insecure-policy', ...args], { stdio: 'pipe' });

  before(async () => {
    folder = new TemporaryFolder();
    buildah = new Buildah(folder.at('buildah'));
    await buildah.commit('base', 'scratch', (root) => writeFileSync(`${root}/base`, 'base'));
    await buildah.commit('docker.io/test/one:1', 'base', (root) => writeFileSync(`${root}/one`, 'one'));
    await buildah.commit('docker.io/test/two:1', 'base', (root) => writeFileSync(`${root}/two`, 'two'));
    await writeImages(folder.at('ours.oci.tar'), [
      testImage('test/app:1', ['test/app:1', 'test/app:latest']),
      testImage('dev.local/hello:1'),
    ]);
    await writeImages(
      folder.at('ours.docker.tar'),
      [testImage('test/app:1'), testImage('dev.local/hello:1')],
      'docker-archive',
    );
    await buildah.run(
      'push',
      '--quiet',
      'docker.io/test/one:1',
      `docker-archive:${folder.at('one.docker.tar')}:docker.io/test/one:1`,
    );
    await buildah.run(
      'push',
      '--quiet',
      'docker.io/test/one:1',
      `oci-archive:${folder.at('one.oci.tar')}:docker.io/test/one:1`,
    );
    await buildah.run('push', '--quiet', 'docker.io/test/one:1', `oci-archive:${folder.at('tag.oci.tar')}:latest`);
    skopeo(
      'copy',
      `oci-archive:${folder.at('one.oci.tar')}`,
      `docker-archive:${folder.at('skopeo.tar')}:test/skopeo:2`,
    );
  });

  after(async () => {
    await buildah.dispose();
    folder[Symbol.dispose]();
  });

  const LOADS: readonly [what: string, file: string, name: string | undefined, names: string[]][] = [
    [
      'an OCI layout of several images and names',
      'ours.oci.tar',
      undefined,
      ['docker.io/test/app:1', 'docker.io/test/app:latest', 'dev.local/hello:1'],
    ],
    ['a docker archive of several images', 'ours.docker.tar', undefined, ['docker.io/test/app:1', 'dev.local/hello:1']],
    ['a docker archive of buildah', 'one.docker.tar', undefined, ['docker.io/test/one:1']],
    ['an OCI archive of buildah', 'one.oci.tar', undefined, ['docker.io/test/one:1']],
    ['a docker archive of skopeo', 'skopeo.tar', undefined, ['docker.io/test/skopeo:2']],
    ['another name', 'one.oci.tar', 'dev.local/renamed', ['dev.local/renamed:latest']],
    ['a name where the archive has but a tag', 'tag.oci.tar', 'dev.local/named:3', ['dev.local/named:3']],
  ];

  for (const [what, file, name, names] of LOADS) {
    test(`load: ${what}`, async () => {
      await using service = await openStore();
      const loaded = await loadImages(service, folder.at(file), { name }, signal);
      assert.deepEqual(loaded.map((image) => image.name).toSorted(), names.toSorted());
      for (const image of names) {
        const ensured = await service.ensureImage(image, { pullPolicy: 'Never' }, signal);
        assert.ok(ensured.lowerDirs.every((dir) => existsSync(dir)));
        assert.equal(await service.resolveDigest(image, {}, signal), ensured.digest);
      }
    });
  }

  for (const [what, compress] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['no', (bytes: Buffer) => bytes],
  ] as const) {
    test(`load: from a descriptor, with ${what} compression`, async () => {
      await using service = await openStore();
      writeFileSync(folder.at('stdin'), compress(readFileSync(folder.at('ours.docker.tar'))));
      const fd = openSync(folder.at('stdin'), 'r');
      const loaded = await loadImages(service, fd, {}, signal);
      closeSync(fd);
      assert.equal(loaded.length, 2);
    });
  }

  test('load: an image that was loaded is used although its registry is not there, whatever the policy', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('ours.oci.tar'), {}, signal);
    const image = await service.ensureImage('dev.local/hello:1', { pullPolicy: 'Always' }, signal);
    assert.deepEqual(image.config.entrypoint, ['/app']);
  });

  test('load: the layers hold what the builder put in', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('ours.oci.tar'), {}, signal);
    const { lowerDirs } = await service.ensureImage('test/app:1', { pullPolicy: 'Never' }, signal);
    const tree = treeSnapshot(lowerDirs[0] ?? '');
    assert.deepEqual(Object.keys(tree), ['app', 'etc', 'etc/group', 'etc/passwd', 'tmp']);
    assert.deepEqual([tree['app']?.mode, tree['tmp']?.mode, tree['etc']?.mode], [0o755, 0o1777, 0o755]);
  });

  const json = (value: unknown) => JSON.stringify(value);
  const BAD: readonly [what: string, archive: () => Buffer, code: ImageErrorCode, text: RegExp, name?: string][] = [
    ['no archive', () => Buffer.from('hello'), 'MalformedArchive', /^failed to load image archive: invalid tar/],
    [
      'an archive of something else',
      () => rawTar([{ name: 'x', data: 'x' }]),
      'MalformedArchive',
      /unrecognized archive: neither an OCI layout/,
    ],
    ['a path that climbs', () => rawTar([{ name: '../manifest.json', data: '[]' }]), 'UnsafePath', /climbs out/],
    ['a device', () => rawTar([{ name: 'x', flag: '4' }]), 'MalformedArchive', /has no place in an archive/],
    ['no images', () => rawTar([{ name: 'manifest.json', data: '[]' }]), 'MalformedArchive', /holds no image/],
    ['a manifest that is none', () => rawTar([{ name: 'manifest.json', data: '{' }]), 'MalformedArchive', /not JSON/],
    [
      'a file that is not there',
      () => rawTar([{ name: 'manifest.json', data: json([{ Config: 'c.json', RepoTags: ['a:1'], Layers: [] }]) }]),
      'MalformedArchive',
      /"c\.json", which is not in it/,
    ],
    [
      'a link out of the archive',
      () =>
        rawTar([
          { name: 'c.json', flag: '2', linkName: '../../../../etc/passwd' },
          { name: 'manifest.json', data: json([{ Config: 'c.json', RepoTags: ['a:1'], Layers: [] }]) },
        ]),
      'MalformedArchive',
      /"c\.json", which is not in it/,
    ],
    [
      'a blob that is not what its name says',
      () => rawTar([{ name: `blobs/sha256/${'0'.repeat(64)}`, data: 'x' }]),
      'DigestMismatch',
      /unexpected digest/,
    ],
    ['no name', () => readFileSync(folder.at('tag.oci.tar')), 'MalformedArchive', /no name: choose one with --name/],
    [
      'one name for several images',
      () => readFileSync(folder.at('ours.docker.tar')),
      'MalformedArchive',
      /holds 2 images, --name is for one/,
      'a:1',
    ],
    ['an invalid name', () => readFileSync(folder.at('one.oci.tar')), 'InvalidImageName', /must be lowercase/, 'Not:1'],
    [
      'an archive that ends early',
      () => readFileSync(folder.at('ours.oci.tar')).subarray(0, 500_000),
      'MalformedArchive',
      /unexpected end/,
    ],
  ];

  for (const [what, archive, code, text, name] of BAD) {
    test(`load refused: ${what}`, async () => {
      await using service = await openStore();
      writeFileSync(folder.at('bad.tar'), archive());
      const error = await failureOf(loadImages(service, folder.at('bad.tar'), { name }, signal));
      assert.match(error.message, text);
      assert.equal(error.code, code);
      assert.deepEqual(await listImages(service), []);
      assert.deepEqual(readdirSync(service.layout.ingest), []);
      await collectUnused(service, { inUse: NOTHING }, signal);
      assert.deepEqual(readdirSync(`${service.layout.blobs}/sha256`), []);
    });
  }

  test('load: a layer that means harm', async () => {
    await using service = await openStore();
    const layer = rawTar([{ name: '../../evil', data: 'evil' }]);
    const { createHash } = await import('node:crypto');
    const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
    const config = json({
      os: 'linux',
      architecture: 'amd64',
      config: {},
      rootfs: { type: 'layers', diff_ids: [diffId] },
    });
    writeFileSync(
      folder.at('evil.tar'),
      rawTar([
        { name: 'c.json', data: config },
        { name: 'layer.tar', data: layer },
        { name: 'manifest.json', data: json([{ Config: 'c.json', RepoTags: ['evil:1'], Layers: ['layer.tar'] }]) },
      ]),
    );
    const error = await failureOf(loadImages(service, folder.at('evil.tar'), {}, signal));
    assert.deepEqual(
      [error.code, error.message],
      ['UnsafePath', `failed to extract layer ${diffId}: "../../evil" climbs out of its directory`],
    );
    assert.deepEqual(await listImages(service), []);
    assert.ok(!existsSync(path.join(service.layout.root, 'evil')) && !existsSync(folder.at('evil')));
  });

  test('list: names as people write them, sizes, when built and when added', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('ours.oci.tar'), {}, signal);
    const images = await listImages(service);
    assert.deepEqual(
      images.map(({ name }) => name),
      ['dev.local/hello:1', 'test/app:1', 'test/app:latest'],
    );
    for (const image of images) {
      assert.equal(image.created, '1970-01-01T00:00:00Z');
      assert.ok(image.size > 10_000 && image.addedAt > Date.UTC(2020, 0));
    }
    assert.equal(images[1]?.digest, images[2]?.digest);
  });

  test('rm: the content goes with its last name, and stays where another image has it', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('one.docker.tar'), {}, signal);
    const before = contents(service);
    await buildah.run(
      'push',
      '--quiet',
      'docker.io/test/two:1',
      `docker-archive:${folder.at('two.tar')}:docker.io/test/two:1`,
    );
    await loadImages(service, folder.at('two.tar'), {}, signal);
    const removed = await removeImages(service, ['test/two:1'], { inUse: NOTHING, force: 'unless in use' }, signal);
    assert.deepEqual([removed.layers, removed.blobs], [1, 3]);
    assert.deepEqual(contents(service), before);
    await removeImages(service, ['docker.io/test/one:1'], { inUse: NOTHING, force: 'unless in use' }, signal);
    assert.deepEqual([readdirSync(service.layout.refs), readdirSync(`${service.layout.blobs}/sha256`)], [[], []]);
    assert.deepEqual(readdirSync(service.layout.layers), ['empty', 'lock']);
  });

  test('rm: what is in use is refused, or loses its name but not its content', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('one.docker.tar'), {}, signal);
    const { digest, lowerDirs } = await service.ensureImage('test/one:1', { pullPolicy: 'Never' }, signal);
    const inUse = new Set([digest]);
    const refused = await failureOf(removeImages(service, ['test/one:1'], { inUse, force: 'unless in use' }, signal));
    assert.deepEqual(
      [refused.code, refused.message],
      ['InUse', 'image "test/one:1" is in use by a container, remove it with --force'],
    );
    await removeImages(service, ['test/one:1'], { inUse, force: 'forced' }, signal);
    assert.deepEqual(await listImages(service), []);
    assert.ok(lowerDirs.every((dir) => existsSync(dir)));
    await collectUnused(service, { inUse: NOTHING }, signal);
    assert.ok(lowerDirs.every((dir) => !existsSync(dir)));
  });

  test('rm: by digest, and of what is not there', async () => {
    await using service = await openStore();
    const [image] = await loadImages(service, folder.at('one.docker.tar'), {}, signal);
    assert.equal(
      (await failureOf(removeImages(service, ['no/such:1'], { inUse: NOTHING, force: 'forced' }, signal))).code,
      'NotFound',
    );
    await removeImages(
      service,
      [image?.digest.slice('sha256:'.length, 20) ?? ''],
      { inUse: NOTHING, force: 'unless in use' },
      signal,
    );
    assert.deepEqual(await listImages(service), []);
  });

  test('garbage collection forgets what nobody needed for long, but not what is in use', async () => {
    await using service = await openStore();
    await loadImages(service, folder.at('ours.docker.tar'), {}, signal);
    const kept = await service.resolveDigest('dev.local/hello:1', {}, signal);
    const later = systemClock.now() + 1_000;
    const { forgotten } = await collectUnused(service, { inUse: new Set([kept]), unusedSinceMs: later }, signal);
    assert.deepEqual(forgotten, ['docker.io/test/app:1']);
    assert.deepEqual(
      (await listImages(service)).map(({ name }) => name),
      ['dev.local/hello:1'],
    );
  });

  test('garbage collection waits for additions, and additions for it', async () => {
    await using service = await openStore();
    const { layout, clock } = service;
    const held = await lockStore(layout, clock, { mode: 'shared' }, signal);
    const controller = new AbortController();
    const reason = new Error('enough');
    const collecting = collectUnused(service, { inUse: NOTHING }, controller.signal).catch((error: unknown) => error);
    controller.abort(reason);
    assert.equal(await collecting, reason);
    assert.equal((await failureOf(lockStore(layout, clock, { mode: 'exclusive', timeoutMs: 0 }, signal))).code, 'Busy');
    held[Symbol.dispose]();
    await collectUnused(service, { inUse: NOTHING }, signal);
  });

  test('pull: killed at any point, nothing half is left, and the next pull completes', async () => {
    await using registry = await RegistryServer.start({ folder: folder.at('registry') });
    await buildah.commit('large', 'scratch', fillLarge);
    await buildah.push('large', `docker://${registry.host}/test/large:1`);
    const root = folder.at('killed');
    const name = `${registry.host}/test/large:1`;
    const points = [
      'resolving',
      'resolved',
      'downloading',
      'downloading',
      'unpacking',
      'unpacking',
      'unpacked',
      'done',
    ];
    for (const [round, point] of points.entries()) {
      const reached = await pullUntil(root, name, { point, delayMs: round * 7 });
      await using service = await openStore(root);
      assert.deepEqual(readdirSync(service.layout.ingest), [], `after a kill at ${point}`);
      const present = await service.present(name);
      if (reached === 'done') assert.ok(present);
    }
    await using service = await openStore(root);
    const { lowerDirs } = await pullImage(service, name, {}, signal);
    const expected = treeSnapshot(await buildah.mount('large'));
    const found = treeSnapshot(lowerDirs[0] ?? '');
    assert.deepEqual(Object.keys(found), Object.keys(expected));
    assert.ok(Object.entries(expected).every(([file, node]) => node.content === found[file]?.content));
  });
});

/** Some twenty megabytes that do not compress, in files of all sizes. */
function fillLarge(root: string): void {
  mkdirSync(`${root}/files`);
  for (let at = 0; at < 300; at += 1) writeFileSync(`${root}/files/${at}`, systemClock.randomBytes(at * 400));
  writeFileSync(`${root}/large`, systemClock.randomBytes(4 * 2 ** 20));
}

/** Kills a pulling process a moment after it got that far; answers the last that it said. */
async function pullUntil(root: string, image: string, stop: { point: string; delayMs: number }): Promise<string> {
  const script = path.join(import.meta.dirname, '..', '..', 'testing', 'image-puller.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, root, image], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let last = '';
  for await (const chunk of child.stdout) {
    const lines = String(chunk).trim().split('\n');
    last = lines.at(-1) ?? last;
    if (!lines.includes(stop.point) && last !== 'done') continue;
    await systemClock.sleep(stop.delayMs, signal);
    child.kill('SIGKILL');
  }
  await exited;
  return last;
}
