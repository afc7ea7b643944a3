/** Images from a real registry with a password: pulled with a Secret, resolved to a digest, refused without. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Revision } from '#knative/kinds/revision.ts';
import { Service } from '#knative/kinds/service.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { TestPlatform } from '#testing/platform.ts';
import { REGISTRY_PASSWORD, REGISTRY_USER, RegistryServer } from '#testing/registry.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, podsOf, serviceManifest, untilReady } from '#testing/service.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { testImage, writeImages } from './images/build.ts';

const real = needs('root', 'runc', 'compiler', 'docker-registry', 'skopeo');

let folder: TemporaryFolder;
let registry: RegistryServer;
let platform: TestPlatform;

before(async () => {
  if (real.skip !== undefined) return;
  folder = new TemporaryFolder();
  registry = await RegistryServer.start({ folder: folder.at('registry'), auth: 'password' });
  await push('test/app:1', 'team/app:1');
  platform = await TestPlatform.start({ images: [] });
});

after(async () => {
  await platform?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  folder?.[Symbol.dispose]();
});

async function push(image: 'test/app:1' | 'test/app:2', name: string): Promise<void> {
  const archive = folder.at('app.tar');
  await writeImages(archive, [testImage(image)]);
  await registry.push(`oci-archive:${archive}`, name, ['--dest-creds', `${REGISTRY_USER}:${REGISTRY_PASSWORD}`]);
}

async function createPullSecret(name: string, password: string): Promise<void> {
  const auth = Buffer.from(`${REGISTRY_USER}:${password}`).toString('base64');
  const config = JSON.stringify({ auths: { [registry.host]: { auth } } });
  const secret = { metadata: { namespace: 'default', name }, type: 'kubernetes.io/dockerconfigjson' };
  const data = { '.dockerconfigjson': Buffer.from(config).toString('base64') };
  await platform.client.create(Secret, typed(Secret, { ...secret, data }));
}

const from = (tag: string, secret: string) => ({
  image: `${registry.host}/team/app:${tag}`,
  spec: { imagePullSecrets: [{ name: secret }] },
});

test('a Secret opens the registry; the Revision says which digest the tag was', real, async () => {
  await createPullSecret('right', REGISTRY_PASSWORD);
  const url = await deploy(platform, 'private', from('1', 'right'));
  assert.equal((await platform.get(url)).status, 200);
  const revision = await platform.client.get(Revision, { namespace: 'default', name: 'private-00001' });
  const digest = revision.status?.containerStatuses?.[0]?.imageDigest ?? '';
  assert.match(digest, new RegExp(`^${registry.host}/team/app@sha256:[0-9a-f]{64}$`));
  const [pod] = await podsOf(platform, 'private');
  assert.equal(pod?.spec.containers[0]?.image, digest);

  // The tag moves: this Revision stays what it was, the next one is the new image.
  await push('test/app:2', 'team/app:1');
  const template = { metadata: { annotations: { again: 'yes' } } };
  await platform.client.patch(
    Service,
    { namespace: 'default', name: 'private' },
    { type: 'merge', body: { spec: { template } } },
  );
  await untilReady(platform, 'private');
  const next = await platform.client.get(Revision, { namespace: 'default', name: 'private-00002' });
  assert.notEqual(next.status?.containerStatuses?.[0]?.imageDigest, digest);
  const before = await platform.client.get(Revision, { namespace: 'default', name: 'private-00001' });
  assert.equal(before.status?.containerStatuses?.[0]?.imageDigest, digest);
});

const refused = [
  { name: 'wrong-password', secret: 'wrong', tag: '1', says: /UNAUTHORIZED|401|authentication required/i },
  { name: 'no-password', secret: 'none', tag: '1', says: /UNAUTHORIZED|401|authentication required/i },
  { name: 'no-such-tag', secret: 'right', tag: 'nothing', says: /MANIFEST_UNKNOWN|not found/i },
];

for (const { name, secret, tag, says } of refused) {
  test(`${name.replaceAll('-', ' ')} is named in the Revision's condition`, real, async () => {
    if (secret === 'wrong') await createPullSecret('wrong', 'guessed');
    await platform.client.create(Service, serviceManifest(name, from(tag, secret)));
    const message = await eventually(
      async () => {
        const revision = await platform.client.get(Revision, { namespace: 'default', name: `${name}-00001` });
        const condition = revision.status?.conditions?.find(({ type }) => type === 'ContainerHealthy');
        return condition?.reason === 'ContainerMissing' ? condition.message : undefined;
      },
      { timeoutMs: 15_000, what: 'the cause is told' },
    );
    assert.match(message, /^Unable to fetch image ".*": failed to resolve image to digest: /);
    assert.match(message, says);
  });
}

test('a registry that is gone does not matter to what runs and what was pulled', real, async () => {
  const url = await deploy(platform, 'stays', from('1', 'right'));
  await registry[Symbol.asyncDispose]();
  assert.equal((await platform.get(url)).status, 200);
  const [pod] = await podsOf(platform, 'stays');
  assert.ok(pod);
  await platform.client.delete(Pod, { namespace: 'default', name: pod.metadata.name });
  await eventually(
    async () => {
      const [next] = (await podsOf(platform, 'stays')).filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
      return next?.status?.phase === 'Running' ? next : undefined;
    },
    { timeoutMs: 20_000, what: 'another pod runs' },
  );
  assert.equal((await platform.get(url)).status, 200);
});
