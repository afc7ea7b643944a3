import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { Client } from '#client/client.ts';
import { SelfSubjectReview } from '#kube/kinds/authentication/self-subject-review.ts';
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { typed } from '#kube/kind.ts';
import { ApiServer } from '#apiserver/api-server.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import { documentOf } from '#apiserver/openapi/document.ts';
import { subresourcesOf, verbsOf } from '#apiserver/resources.ts';
import { systemUser } from '#apiserver/user.ts';
import { virtualKind } from '#apiserver/virtual-kind.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { Store } from '#store/store.ts';
import { FakeClock } from '#testing/fake-clock.ts';

/** Answers with what it was asked, and one more than the number in it. */
const counted = virtualKind({
  kind: Scale,
  under: { kind: ConfigMap, subresource: 'counted' },
  answer: ({ object }) => ({ ...object, spec: { replicas: (object.spec.replicas ?? 0) + 1 } }),
});

async function start() {
  const clock = new FakeClock();
  const store = await Store.open({ log: new MemoryLog(), clock, logger: silentLogger });
  const server = new ApiServer({
    store,
    clock,
    logger: silentLogger,
    kinds: [ConfigMap],
    virtualKinds: [counted],
  });
  const transport = new InProcessTransport(server, { user: systemUser('test'), userAgent: 'test' });
  return { store, server, transport, client: new Client(transport) };
}

test('a kind without storage is answered and leaves nothing behind', async () => {
  const { store, client } = await start();
  await using _ = store;
  const before = store.revision;
  const review = await client.create(SelfSubjectReview, typed(SelfSubjectReview, { metadata: {}, status: {} }));
  assert.deepEqual(review.status, {
    userInfo: { username: 'system:test', groups: ['system:masters', 'system:authenticated'] },
  });
  assert.equal(store.revision, before);
});

test('a part of another kind is asked below its objects, in its own schema', async () => {
  const { store, server, transport } = await start();
  await using _ = store;
  const target = { kind: ConfigMap, namespace: 'n', name: 'robot', subresource: 'counted' };
  const body = { spec: { replicas: 2 }, unknown: true };
  assert.deepEqual(await transport.request({ verb: 'create', ...target, body }), {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { namespace: 'n', name: 'robot', creationTimestamp: null },
    spec: { replicas: 3 },
    status: { replicas: 0 },
  });
  const wrong = { verb: 'create', ...target, body: { kind: 'Pod', apiVersion: 'v1' } } as const;
  await assert.rejects(transport.request(wrong), /cannot be handled as a Scale/);
  const served = server.registry.of(ConfigMap);
  assert.deepEqual(
    subresourcesOf(served).map(({ name, verbs }) => [name, verbs]),
    [['counted', ['create']]],
  );
  assert.equal(verbsOf(served).length, 8);
});

test('OpenAPI has a path to post to, and no list', async () => {
  const { store, server } = await start();
  await using _ = store;
  const { paths, components } = documentOf([server.registry.of(SelfSubjectReview)], 'test') as {
    paths: Record<string, object>;
    components: { schemas: object };
  };
  assert.deepEqual(Object.keys(paths), ['/apis/authentication.k8s.io/v1/selfsubjectreviews']);
  assert.deepEqual(Object.keys(Object.values(paths)[0] ?? {}), ['post', 'parameters']);
  assert.ok(!Object.keys(components.schemas).some((name) => name.endsWith('ReviewList')));
});
