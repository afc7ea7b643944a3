import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clone } from '#base/json.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { Service } from '#knative/kinds/service.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { typed } from '#kube/kind.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';
import { startTestApi } from '#testing/api.ts';

const inDefault = (name: string) => ({ namespace: 'default', name });

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return typed(ConfigMap, { metadata: inDefault(name), data });
}

function pod(name: string, nodeName?: string): Pod {
  const containers = [{ name: 'app', image: 'dev.local/app' }];
  return typed(Pod, {
    metadata: inDefault(name),
    spec: nodeName === undefined ? { containers } : { containers, nodeName },
  });
}

async function refusal(attempt: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  const error = await attempt.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StatusError, String(error));
  return { code: error.code, reason: error.reason, message: error.message };
}

test('a create stamps identity and forgets what only the server says', async () => {
  await using f = await startTestApi();
  const body = configMap('a', { x: '1' });
  body.metadata = {
    ...body.metadata,
    uid: 'mine',
    creationTimestamp: '2001-01-01T00:00:00Z',
    deletionTimestamp: '2001-01-01T00:00:00Z',
  };
  const stored = await f.client.create(ConfigMap, body);
  assert.match(stored.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  assert.equal(stored.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(stored.metadata.deletionTimestamp, undefined);
  assert.equal(await f.client.get(ConfigMap, inDefault('a')), stored);
});

test('a name that is taken is 409, a generated one is drawn', async () => {
  await using f = await startTestApi();
  await f.client.create(ConfigMap, configMap('a'));
  const taken = await refusal(f.client.create(ConfigMap, configMap('a')));
  assert.deepEqual(taken, { code: 409, reason: 'AlreadyExists', message: 'configmaps "a" already exists' });
  const metadata = { namespace: 'default', generateName: 'made-' };
  const drawn = await f.client.create(ConfigMap, typed(ConfigMap, { metadata }));
  assert.match(drawn.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('a namespace must be there and not on its way out', async () => {
  await using f = await startTestApi();
  const lost = typed(ConfigMap, { metadata: { namespace: 'nowhere', name: 'a' } });
  assert.equal((await refusal(f.client.create(ConfigMap, lost))).message, 'namespaces "nowhere" not found');
  await f.createNamespace('ending');
  await f.client.delete(Namespace, { name: 'ending' });
  const ending = await f.client.get(Namespace, { name: 'ending' });
  assert.equal(ending.status?.phase, 'Terminating');
  const late = typed(ConfigMap, { metadata: { namespace: 'ending', name: 'a' } });
  assert.equal(
    (await refusal(f.client.create(ConfigMap, late))).message,
    'configmaps "a" is forbidden: unable to create new content in namespace ending because it is being terminated',
  );
  const emptied = { ...clone(ending), spec: {} };
  await f.transport.request({
    verb: 'update',
    kind: Namespace,
    name: 'ending',
    subresource: 'finalize',
    body: emptied,
  });
  assert.equal(await f.client.find(Namespace, { name: 'ending' }), undefined);
});

test('an update of a stale version is 409, an update of the same content writes nothing', async () => {
  await using f = await startTestApi();
  const first = await f.client.create(ConfigMap, configMap('a', { x: '1' }));
  const second = await f.client.update(ConfigMap, { ...first, data: { x: '2' } });
  const stale = await refusal(f.client.update(ConfigMap, { ...first, data: { x: '3' } }));
  assert.equal(stale.reason, 'Conflict');
  const before = f.store.revision;
  const same = await f.client.update(ConfigMap, { ...second, data: { x: '2' } });
  assert.equal(same, second);
  assert.equal(f.store.revision, before);
});

test('updates without a version are made one after the other, none is lost', async () => {
  await using f = await startTestApi();
  await f.client.create(ConfigMap, configMap('a', {}));
  const patches = Array.from({ length: 20 }, (_, n) =>
    f.client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { data: { [`k${n}`]: 'x' } } }),
  );
  await Promise.all(patches);
  assert.equal(Object.keys((await f.client.get(ConfigMap, inDefault('a'))).data ?? {}).length, 20);
});

test('generation counts the spec, status has its own road', async () => {
  await using f = await startTestApi({ kinds: [...builtinKinds, Service] });
  const template = { spec: { containers: [{ name: '', image: 'x', resources: {} }] } };
  const made = await f.client.create(
    Service,
    typed(Service, { metadata: inDefault('s'), spec: { template }, status: { url: 'x' } }),
  );
  assert.equal(made.metadata.generation, 1);
  assert.equal(made.status, undefined);
  const reported = await f.client.updateStatus(Service, {
    ...made,
    spec: { template, traffic: [] },
    status: { url: 'http://s' },
  });
  assert.equal(reported.metadata.generation, 1);
  assert.equal(reported.status?.url, 'http://s');
  assert.equal(reported.spec.traffic, undefined);
  const changed = await f.client.update(Service, { ...reported, spec: { template, traffic: [] }, status: {} });
  assert.equal(changed.metadata.generation, 2);
  assert.equal(changed.status?.url, 'http://s');
});

test('finalizers hold an object; no new ones while it is deleted; the last one lets it go', async () => {
  await using f = await startTestApi();
  const metadata = { ...inDefault('a'), finalizers: ['example.com/a'] };
  await f.client.create(ConfigMap, typed(ConfigMap, { metadata }));
  await f.client.delete(ConfigMap, inDefault('a'));
  const held = await f.client.get(ConfigMap, inDefault('a'));
  assert.equal(held.metadata.deletionGracePeriodSeconds, 0);
  const more = { type: 'merge', body: { metadata: { finalizers: ['example.com/a', 'example.com/b'] } } } as const;
  assert.match((await refusal(f.client.patch(ConfigMap, inDefault('a'), more))).message, /no new finalizers/);
  await f.client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { metadata: { finalizers: null } } });
  assert.equal(await f.client.find(ConfigMap, inDefault('a')), undefined);
});

test('a pod on a node gets its grace period, which can only get shorter', async () => {
  await using f = await startTestApi();
  await f.client.create(Pod, pod('free'));
  await f.client.delete(Pod, inDefault('free'));
  assert.equal(await f.client.find(Pod, inDefault('free')), undefined);
  await f.client.create(Pod, pod('bound', 'node'));
  await f.client.delete(Pod, inDefault('bound'));
  const ending = await f.client.get(Pod, inDefault('bound'));
  assert.equal(ending.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(ending.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
  await f.client.delete(Pod, inDefault('bound'), { gracePeriodSeconds: 60 });
  assert.equal(await f.client.get(Pod, inDefault('bound')), ending);
  await f.client.delete(Pod, inDefault('bound'), { gracePeriodSeconds: 5 });
  const sooner = await f.client.get(Pod, inDefault('bound'));
  assert.equal(sooner.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
  await f.client.delete(Pod, inDefault('bound'), { gracePeriodSeconds: 0 });
  assert.equal(await f.client.find(Pod, inDefault('bound')), undefined);
});

test('propagation policies become finalizers', async () => {
  await using f = await startTestApi();
  for (const [name, propagationPolicy, finalizer] of [
    ['a', 'Foreground', 'foregroundDeletion'],
    ['b', 'Orphan', 'orphan'],
  ] as const) {
    await f.client.create(ConfigMap, configMap(name));
    await f.client.delete(ConfigMap, inDefault(name), { propagationPolicy });
    assert.deepEqual((await f.client.get(ConfigMap, inDefault(name))).metadata.finalizers, [finalizer]);
  }
  const template = { spec: { containers: [{ name: 'a', image: 'x' }], restartPolicy: 'Never' as const } };
  await f.client.create(Job, typed(Job, { metadata: inDefault('j'), spec: { template } }));
  await f.client.delete(Job, inDefault('j'));
  assert.deepEqual((await f.client.get(Job, inDefault('j'))).metadata.finalizers, ['orphan']);
});

test('preconditions must hold', async () => {
  await using f = await startTestApi();
  const made = await f.client.create(ConfigMap, configMap('a'));
  const wrong = await refusal(f.client.delete(ConfigMap, inDefault('a'), { preconditions: { uid: 'other' } }));
  assert.match(wrong.message, /the UID in the precondition \(other\) does not match the UID in record/);
  await f.client.delete(ConfigMap, inDefault('a'), { preconditions: { uid: made.metadata.uid } });
});

test('scale reads and writes the number of pods', async () => {
  await using f = await startTestApi();
  const labels = { app: 'd' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'x' }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await f.client.create(Deployment, typed(Deployment, { metadata: inDefault('d'), spec }));
  const scale = (await f.client.get(Deployment, inDefault('d'), 'scale')) as unknown as Scale;
  assert.equal(scale.spec.replicas, 2);
  assert.equal(scale.status?.selector, 'app=d');
  const request = { kind: Deployment, ...inDefault('d'), subresource: 'scale' };
  await f.transport.request({ ...request, verb: 'update', body: { ...scale, spec: { replicas: 5 } } });
  const scaled = await f.client.get(Deployment, inDefault('d'));
  assert.deepEqual([scaled.spec.replicas, scaled.metadata.generation], [5, 2]);
});

test('a watch delivers in the same turn, and what leaves the selection looks deleted', async () => {
  await using f = await startTestApi();
  await f.client.create(ConfigMap, configMap('a'));
  const events: string[] = [];
  const onEvent = ({ type, object }: WatchEvent<KubeObject>) => events.push(`${type} ${object.metadata.name}`);
  const options = { fieldSelector: 'metadata.namespace=default', labelSelector: 'on=yes' };
  using _ = f.client.watch({ kind: ConfigMap, options }, { onEvent, onEnd: () => {} });
  await f.client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { metadata: { labels: { on: 'yes' } } } });
  assert.deepEqual(events, ['ADDED a']);
  await f.client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { data: { x: '1' } } });
  await f.client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { metadata: { labels: null } } });
  assert.deepEqual(events, ['ADDED a', 'MODIFIED a', 'DELETED a']);
});

test('a dry run answers what would be, and changes nothing', async () => {
  await using f = await startTestApi();
  const before = f.store.revision;
  const made = await f.client.create(ConfigMap, configMap('a'), { dryRun: true });
  assert.equal(made.metadata.name, 'a');
  assert.equal(f.store.revision, before);
  assert.equal(await f.client.find(ConfigMap, inDefault('a')), undefined);
});

test('admission sees the object before its checks, and may refuse it after them', async () => {
  const seen: string[] = [];
  await using f = await startTestApi({
    admission: [
      {
        resource: 'configmaps',
        mutate: ({ object, operation }) => {
          seen.push(`mutate ${operation}`);
          (object as ConfigMap).data = { from: 'admission' };
        },
        validate: ({ object, operation }) => {
          seen.push(`validate ${operation} ${(object as ConfigMap).data?.['from']}`);
        },
      },
    ],
  });
  const made = await f.client.create(ConfigMap, configMap('a'));
  assert.deepEqual(made.data, { from: 'admission' });
  assert.deepEqual(seen, ['mutate CREATE', 'validate CREATE admission']);
});
