/** The image service against a real registry, with images that buildah made: pulled, unpacked, mounted, shared. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { type CredentialEntry, entriesOfConfig } from '#runtime/image/credentials.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { type EnsuredImage, ImageService, type PullPolicy } from '#runtime/image/image-service.ts';
import type { PullProgress } from '#runtime/image/progress.ts';
import { waitingFor } from '#runtime/image/pull-messages.ts';
import { blobPath, layerRecordPath } from '#runtime/image/store/layout.ts';
import { readImage } from '#runtime/image/store/image.ts';
import { mountOverlay, unmount, mount } from '#sys/mount.ts';
import { Buildah } from '#testing/buildah.ts';
import { eventually } from '#testing/eventually.ts';
import { type Fault, FaultyProxy, type SeenRequest } from '#testing/faulty-proxy.ts';
import { REGISTRY_PASSWORD, REGISTRY_USER, RegistryServer } from '#testing/registry.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { treeSnapshot } from '#testing/tree-snapshot.ts';

const signal = new AbortController().signal;
const NEEDED = needs('root', 'docker-registry', 'buildah');

describe('the image service', NEEDED, () => {
  let folder: TemporaryFolder;
  let buildah: Buildah;
  let registry: RegistryServer;
  let stores = 0;

  before(async () => {
    folder = new TemporaryFolder();
    buildah = new Buildah(folder.at('buildah'));
    registry = await RegistryServer.start({ folder: folder.at('registry') });
    await buildah.commit('base', 'scratch', fillBase);
    await buildah.commit('app', 'base', fillApp, ['--entrypoint', '["/bin/tool"]', '--env', 'A=1', '--user', '5:6']);
    await buildah.commit('other', 'base', (root) => writeFileSync(`${root}/other`, 'other'));
    await buildah.push('app', `docker://${registry.host}/test/app:1`);
    await buildah.push('other', `docker://${registry.host}/test/other:1`);
  });

  after(async () => {
    await registry[Symbol.asyncDispose]();
    await buildah.dispose();
    folder[Symbol.dispose]();
  });

  function openStore(root = folder.at(`store-${(stores += 1)}`)): Promise<ImageService> {
    // A whole environment is what the command line gives.
    return ImageService.open({ root, clock: systemClock, registry: { proxyEnv: process.env } });
  }

  const ensure = (service: ImageService, image: string, pullPolicy: PullPolicy = 'IfNotPresent', more: object = {}) =>
    service.ensureImage(image, { pullPolicy, ...more }, signal);

  async function failureOf(promise: Promise<unknown>): Promise<ImageError> {
    const error = await promise.then(
      () => assert.fail('it succeeded'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ImageError, String(error));
    return error;
  }

  test('a pulled image is what buildah made', async () => {
    await using service = await openStore();
    const heard: PullProgress['phase'][] = [];
    const image = await ensure(service, `${registry.host}/test/app:1`, 'IfNotPresent', {
      onProgress: ({ phase }: PullProgress) => heard.push(phase),
    });
    assert.deepEqual(
      [image.config.entrypoint, image.config.env.at(-1), image.config.user],
      [['/bin/tool'], 'A=1', '5:6'],
    );
    assert.equal(image.imageId, `${registry.host}/test/app@${image.digest}`);
    assert.equal(image.lowerDirs.length, 2);
    assert.deepEqual(mounted(image), withoutTimes(treeSnapshot(await buildah.mount('app'))));
    assert.deepEqual([heard[0], heard[1]], ['resolving', 'resolved']);
    assert.equal(heard.filter((phase) => phase === 'unpacked').length, 2);
    assert.ok(image.pull && image.pull.waitedMs >= image.pull.pulledMs);
  });

  test('what is there is not asked for again', async () => {
    await using proxy = await FaultyProxy.start(registry.host, () => undefined);
    await using service = await openStore();
    const name = `${proxy.host}/test/app:1`;
    const first = await ensure(service, name);
    const asked = proxy.seen.length;
    const again = await ensure(service, name);
    assert.equal(again.pull, undefined);
    assert.deepEqual(again.lowerDirs, first.lowerDirs);
    await ensure(service, name.replace(':1', `@${first.digest}`), 'Never');
    assert.equal(proxy.seen.length, asked);
    await ensure(service, name, 'Always');
    assert.deepEqual(
      proxy.seen.slice(asked).map(({ method }) => method),
      ['HEAD'],
    );
  });

  test('another service finds what the first one pulled', async () => {
    const root = folder.at('shared-store');
    await using first = await openStore(root);
    const pulled = await ensure(first, `${registry.host}/test/app:1`);
    await using second = await openStore(root);
    const found = await ensure(second, `${registry.host}/test/app:1`, 'Never');
    assert.deepEqual(found.lowerDirs, pulled.lowerDirs);
    assert.equal((await second.present(`${registry.host}/test/app:1`))?.digest, pulled.digest);
    assert.equal(await second.present(`${registry.host}/test/app:2`), undefined);
  });

  test('requests at the same time share the work, layers shared between images too', async () => {
    await using proxy = await FaultyProxy.start(registry.host, () => undefined);
    await using service = await openStore();
    const names = [...Array.from({ length: 4 }, () => 'app'), 'other', 'other'];
    const images = await Promise.all(names.map((name) => ensure(service, `${proxy.host}/test/${name}:1`)));
    const blobs = proxy.seen.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url.split('/').at(-1));
    assert.equal(new Set(blobs).size, blobs.length, `fetched twice: ${blobs.join(' ')}`);
    assert.equal(images[0]?.lowerDirs.at(-1), images[4]?.lowerDirs.at(-1));
    await eventually(() => readdirSync(service.layout.ingest).length === 0);
  });

  test('who loses interest leaves; the work ends with the last', async () => {
    const isStuck = ({ url, method }: SeenRequest): Fault | undefined =>
      method === 'GET' && url.includes('/blobs/') ? { kind: 'silence' } : undefined;
    let stuck = true;
    await using proxy = await FaultyProxy.start(registry.host, (request) => (stuck ? isStuck(request) : undefined));
    await using service = await openStore();
    const controllers = [new AbortController(), new AbortController()];
    const reason = new Error('enough');
    const name = `${proxy.host}/test/app:1`;
    const pulls = controllers.map((controller) =>
      service.ensureImage(name, { pullPolicy: 'Always' }, controller.signal).catch((error: unknown) => error),
    );
    await eventually(() => proxy.seen.some(({ url }) => url.includes('/blobs/')));
    controllers[0]?.abort(reason);
    assert.equal(await pulls[0], reason);
    controllers[1]?.abort(reason);
    assert.equal(await pulls[1], reason);
    stuck = false;
    const image = await ensure(service, name);
    assert.equal(image.lowerDirs.length, 2);
    await eventually(() => readdirSync(service.layout.ingest).length === 0);
  });

  test('a tag that moves', async () => {
    await using service = await openStore();
    const name = `${registry.host}/test/moving:1`;
    await buildah.push('app', `docker://${name}`);
    const first = await ensure(service, name);
    await buildah.push('other', `docker://${name}`);
    assert.equal((await ensure(service, name)).digest, first.digest);
    const resolved = await service.resolveDigest(name, {}, signal);
    assert.notEqual(resolved, first.digest);
    assert.equal((await ensure(service, name, 'Always')).digest, resolved);
    assert.equal((await ensure(service, name)).digest, resolved);
  });

  test('an index: the manifest of this machine, under the digest of the index', async () => {
    await using service = await openStore();
    const name = `${registry.host}/test/many:1`;
    await buildah.run('manifest', 'create', 'many');
    await buildah.run('manifest', 'add', '--arch', 's390x', 'many', 'containers-storage:localhost/other');
    await buildah.run(
      'manifest',
      'add',
      '--arch',
      process.arch === 'x64' ? 'amd64' : process.arch,
      'many',
      'containers-storage:localhost/app',
    );
    await buildah.run('manifest', 'push', '--all', '--tls-verify=false', 'many', `docker://${name}`);
    const image = await ensure(service, name);
    assert.deepEqual(image.config.entrypoint, ['/bin/tool']);
    assert.equal(image.digest, await service.resolveDigest(name, {}, signal));
    const stored = await readImage(service.layout, image.digest, service.platform);
    assert.notEqual(stored?.manifestDigest, image.digest);
  });

  test('an index without a manifest for this machine', async () => {
    await using service = await openStore();
    const name = `${registry.host}/test/foreign:1`;
    await buildah.run('manifest', 'create', 'foreign');
    await buildah.run('manifest', 'add', '--arch', 's390x', 'foreign', 'containers-storage:localhost/other');
    await buildah.run('manifest', 'push', '--all', '--tls-verify=false', 'foreign', `docker://${name}`);
    const error = await failureOf(ensure(service, name));
    assert.equal(error.code, 'NoMatchingPlatform');
    assert.match(
      error.message,
      /: no match for platform in manifest: linux\/(amd64|arm64\/v8) wanted, has linux\/s390x$/,
    );
  });

  test('policies and failures, as the kubelet words them', async () => {
    await using service = await openStore();
    const never = await failureOf(ensure(service, 'dev.local/none:1', 'Never'));
    assert.deepEqual(waitingFor('dev.local/none:1', never), {
      reason: 'ErrImageNeverPull',
      message: 'Container image "dev.local/none:1" is not present with pull policy of Never',
    });
    const missing = `${registry.host}/test/none:1`;
    assert.deepEqual(waitingFor(missing, await failureOf(ensure(service, missing))), {
      reason: 'ErrImagePull',
      message: `rpc error: code = NotFound desc = failed to pull and unpack image "${missing}": failed to resolve reference "${missing}": ${missing}: not found`,
    });
    const down = await failureOf(ensure(service, '127.0.0.1:1/a/b:1'));
    assert.equal(waitingFor('127.0.0.1:1/a/b:1', down).reason, 'RegistryUnavailable');
    assert.match(
      waitingFor('127.0.0.1:1/a/b:1', down).message,
      /^image pull failed for 127\.0\.0\.1:1\/a\/b:1 because the registry is unavailable: failed to pull and unpack image "127\.0\.0\.1:1\/a\/b:1": failed to resolve reference .*: dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
    const invalid = await failureOf(ensure(service, 'Not/Valid'));
    assert.equal(waitingFor('Not/Valid', invalid).reason, 'InvalidImageName');
  });

  test('several credentials for one registry are tried in turn', async () => {
    await using closed = await RegistryServer.start({ folder: folder.at('closed'), auth: 'password' });
    await buildah.push('app', `docker://${closed.host}/test/app:1`, '--creds', `${REGISTRY_USER}:${REGISTRY_PASSWORD}`);
    const auth = (password: string) => ({ username: REGISTRY_USER, password });
    const credentials = (...auths: Record<string, object>[]): CredentialEntry[] =>
      auths.flatMap((entry) => entriesOfConfig({ auths: entry }));
    await using service = await openStore();
    const name = `${closed.host}/test/app:1`;
    const wrong = { [`${closed.host}/test`]: auth('wrong') };
    const right = { [closed.host]: auth(REGISTRY_PASSWORD) };
    const refused = await failureOf(ensure(service, name, 'Always', { credentials: credentials(wrong) }));
    assert.equal(refused.code, 'AccessDenied');
    assert.match(
      waitingFor(name, refused).message,
      /^rpc error: code = Unknown desc = failed to pull and unpack image ".*": failed to resolve reference ".*": unexpected status from HEAD request to .*: 401 Unauthorized$/,
    );
    const image = await ensure(service, name, 'Always', { credentials: credentials(wrong, right) });
    assert.equal(image.lowerDirs.length, 2);
    assert.equal(await service.resolveDigest(name, { credentials: credentials(right, wrong) }, signal), image.digest);
  });

  test('a tag is resolved by the registry, and by what was pulled last when that is down', async () => {
    let isDown = false;
    await using proxy = await FaultyProxy.start(registry.host, () => (isDown ? { kind: 'drop' } : undefined));
    await using service = await openStore();
    const name = `${proxy.host}/test/app:1`;
    const digest = await service.resolveDigest(name, {}, signal);
    await ensure(service, name);
    isDown = true;
    assert.equal(await service.resolveDigest(name, {}, signal), digest);
    assert.equal((await failureOf(service.resolveDigest(name.replace(':1', ':2'), {}, signal))).code, 'ConnectionLost');
  });

  test('a layer that the disk damaged is fetched again', async () => {
    await using service = await openStore();
    const name = `${registry.host}/test/app:1`;
    const { digest } = await ensure(service, name);
    const image = await readImage(service.layout, digest, service.platform);
    const [layer] = image?.manifest.layers ?? [];
    assert.ok(image && layer);
    const file = blobPath(service.layout, layer.digest);
    writeFileSync(file, Buffer.alloc(layer.size));
    for (const id of image.config.diffIds) rmSync(layerRecordPath(service.layout, id), { force: true });
    assert.equal((await failureOf(ensure(service, name, 'Never'))).code, 'StorageFailed');
    const again = await ensure(service, name);
    assert.deepEqual(mounted(again), withoutTimes(treeSnapshot(await buildah.mount('app'))));
  });

  test('layers that were not on disk for good before the machine stopped are unpacked again', async () => {
    const root = folder.at('rebooted');
    const name = `${registry.host}/test/app:1`;
    const records: string[] = [];
    {
      await using service = await openStore(root);
      await ensure(service, name);
      for (const file of readdirSync(service.layout.layers))
        if (file.endsWith('.json')) records.push(`${service.layout.layers}/${file}`);
    }
    const { readFileSync } = await import('node:fs');
    for (const file of records) {
      const record = JSON.parse(readFileSync(file, 'utf8')) as { synced: boolean; bootId: string };
      assert.equal(record.synced, true);
      writeFileSync(file, JSON.stringify({ ...record, synced: false, bootId: 'an earlier boot' }));
    }
    await using service = await openStore(root);
    const heard: string[] = [];
    const image = await ensure(service, name, 'Never', { onProgress: ({ phase }: PullProgress) => heard.push(phase) });
    assert.deepEqual(mounted(image), withoutTimes(treeSnapshot(await buildah.mount('app'))));
    assert.deepEqual(heard, []);
  });

  test('a full disk is named, and leaves no half of anything', async () => {
    const root = folder.at('tiny');
    mkdirSync(root);
    mount({ source: 'tiny', target: root, type: 'tmpfs', options: 'size=300k' });
    try {
      await using service = await openStore(root);
      const error = await failureOf(ensure(service, `${registry.host}/test/app:1`));
      assert.equal(error.code, 'StorageFailed');
      assert.match(error.message, /no space left on device/);
      await eventually(() => readdirSync(service.layout.ingest).length === 0);
      assert.equal(await service.present(`${registry.host}/test/app:1`), undefined);
    } finally {
      unmount(root);
    }
  });

  /** The tree that a container would see. */
  function mounted(image: EnsuredImage): ReturnType<typeof withoutTimes> {
    const target = folder.at('merged');
    mkdirSync(target, { recursive: true });
    mountOverlay({ target, lower: image.lowerDirs });
    try {
      return withoutTimes(treeSnapshot(target));
    } finally {
      unmount(target);
    }
  }
});

/** Times of directories depend on when buildah filled them in its own storage. */
function withoutTimes(tree: ReturnType<typeof treeSnapshot>) {
  return Object.fromEntries(
    Object.entries(tree).map(([name, node]) => [name, node.type === 'directory' ? { ...node, mtime: 0 } : node]),
  );
}

function fillBase(root: string): void {
  for (const name of ['bin', 'etc', 'gone', 'kept', 'tmp']) mkdirSync(`${root}/${name}`);
  chmodSync(`${root}/tmp`, 0o1777);
  writeFileSync(`${root}/bin/tool`, Buffer.alloc(400_000, 'tool'));
  chmodSync(`${root}/bin/tool`, 0o755);
  writeFileSync(`${root}/etc/a`, 'a');
  writeFileSync(`${root}/etc/b`, 'b');
  writeFileSync(`${root}/gone/x`, 'x');
  writeFileSync(`${root}/kept/y`, 'y');
  symlinkSync('/etc', `${root}/link`);
}

function fillApp(root: string): void {
  rmSync(`${root}/etc/a`);
  writeFileSync(`${root}/etc/b`, 'changed');
  rmSync(`${root}/gone`, { recursive: true });
  mkdirSync(`${root}/gone`);
  writeFileSync(`${root}/gone/new`, 'new');
  rmSync(`${root}/kept`, { recursive: true });
  writeFileSync(`${root}/owned`, 'owned');
  chownSync(`${root}/owned`, 1_000, 2_000);
  chmodSync(`${root}/owned`, 0o4711);
  assert.ok(statSync(`${root}/owned`).uid === 1_000);
}
