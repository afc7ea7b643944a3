/** Secrets that hold tokens, against a real API server in memory that issues and checks them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { typed } from '#kube/kind.ts';
import { startTestApi } from '#testing/api.ts';
import { createTokenController } from '#workloads/service-account/reconcile.ts';

const NAMESPACE = 'default';
const robot = { namespace: NAMESPACE, name: 'robot' };
const kept = { namespace: NAMESPACE, name: 'kept' };

async function world() {
  const api = await startTestApi();
  const eventsOf = (component: string) => createEventRecorder({ ...api, component });
  const controller = createTokenController({ ...api, eventsOf, rootCa: 'CA', tokens: api.api.tokens });
  await api.caches.start();
  controller.start();
  await api.client.create(ServiceAccount, typed(ServiceAccount, { metadata: robot }));
  const make = async (annotations = { 'kubernetes.io/service-account.name': robot.name }) => {
    const type = 'kubernetes.io/service-account-token';
    await api.client.create(Secret, typed(Secret, { metadata: { ...kept, annotations }, type }));
    await api.settled(controller);
  };
  return {
    ...api,
    make,
    settled: () => api.settled(controller),
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const text = (data: string | undefined) => Buffer.from(data ?? '', 'base64').toString();

test('a Secret that names an account gets its token, the authority and the namespace', async () => {
  await using it = await world();
  await it.make();
  const { data, metadata } = await it.client.get(Secret, kept);
  const account = await it.client.get(ServiceAccount, robot);
  assert.equal(text(data?.['ca.crt']), 'CA');
  assert.equal(text(data?.['namespace']), NAMESPACE);
  assert.equal(metadata.annotations?.['kubernetes.io/service-account.uid'], account.metadata.uid);
  assert.equal(it.api.tokens.authenticate(text(data?.['token'])).user?.name, 'system:serviceaccount:default:robot');
});

test('what is there stays, and settled is settled', async () => {
  await using it = await world();
  await it.make();
  const before = await it.client.get(Secret, kept);
  await it.client.patch(Secret, kept, { type: 'merge', body: { data: { 'ca.crt': 'AAAA', extra: 'QQ==' } } });
  await it.settled();
  const { data, metadata } = await it.client.get(Secret, kept);
  assert.deepEqual(data, { ...before.data, extra: 'QQ==' });
  await it.client.patch(ServiceAccount, robot, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
  await it.settled();
  assert.equal((await it.client.get(Secret, kept)).metadata.resourceVersion, metadata.resourceVersion);
});

test('a token that was taken out is replaced, and the old one is refused', async () => {
  await using it = await world();
  await it.make();
  const old = text((await it.client.get(Secret, kept)).data?.['token']);
  await it.clock.advance(1_000);
  await it.client.delete(Secret, kept);
  await it.make();
  assert.match(
    it.api.tokens.authenticate(text((await it.client.get(Secret, kept)).data?.['token'])).user?.name ?? '',
    /robot$/,
  );
  await it.client.delete(Secret, kept);
  await it.settled();
  assert.equal(it.api.tokens.authenticate(old).user, undefined);
});

test('goes with its account, and when it means another account of that name', async () => {
  await using it = await world();
  await it.make();
  await it.client.delete(ServiceAccount, robot);
  await it.settled();
  assert.equal(await it.client.find(Secret, kept), undefined);
  await it.client.create(ServiceAccount, typed(ServiceAccount, { metadata: robot }));
  await it.make({
    'kubernetes.io/service-account.name': robot.name,
    'kubernetes.io/service-account.uid': 'another',
  } as never);
  assert.equal(await it.client.find(Secret, kept), undefined);
});

test('an account does not list a Secret that is gone', async () => {
  await using it = await world();
  await it.make();
  const secrets = [{ name: kept.name }, { name: 'other' }];
  await it.client.patch(ServiceAccount, robot, { type: 'merge', body: { secrets } });
  await it.client.delete(Secret, kept);
  await it.settled();
  assert.deepEqual((await it.client.get(ServiceAccount, robot)).secrets, [{ name: 'other' }]);
});
