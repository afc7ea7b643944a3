/** Manifests of the shape of Knative's releases, against the API and the built-in controllers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InProcessTransport } from '#apiserver/in-process.ts';
import { systemUser } from '#apiserver/user.ts';
import { Client } from '#client/client.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { isStatus } from '#kube/status.ts';
import { knativeDefinitions } from '#knative/definitions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { Service } from '#knative/kinds/service.ts';
import { insideAdmission } from '#main/control/inside-admission.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { definition, tokenOf } from '#testing/definitions.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';

const SERVICES = { name: 'services.serving.knative.dev' };
const definitions = knativeDefinitions('1.0.0');

interface World extends AsyncDisposable {
  readonly api: TestApi;
  /** A user's. */
  readonly client: Client;
  readonly warnings: string[];
  settled(): Promise<void>;
}

async function world(): Promise<World> {
  const kinds = [...builtinKinds, ...knativeKinds];
  const namespaces = ['default', 'knative-serving', 'knative-eventing'];
  const api = await startTestApi({ kinds, admission: insideAdmission(definitions), namespaces });
  const { caches, clock, logger, metrics } = api;
  const eventsOf = (component: string) => createEventRecorder({ client: api.client, clock, logger, component });
  const followed = kinds.filter(({ kind }) => kind !== 'Event');
  const environment = { client: api.client, caches, clock, logger, metrics, eventsOf };
  const controllers = createWorkloads({ ...environment, kinds: followed, rootCa: 'CA' });
  await caches.start();
  for (const controller of controllers) controller.start();
  for (const one of definitions) await api.client.create(CustomResourceDefinition, one);
  const warnings: string[] = [];
  const onWarning = (text: string) => void warnings.push(text);
  const user = { user: systemUser('user'), userAgent: 'kubectl', onWarning };
  return {
    api,
    client: new Client(new InProcessTransport(api.api, user)),
    warnings,
    settled: () => api.settled(...controllers),
    async [Symbol.asyncDispose]() {
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const containers = [{ name: 'c', image: 'registry.example/c' }];
const template = { metadata: { labels: { app: 'c' } }, spec: { containers } };

function deployment(namespace: string, name: string): Deployment {
  const spec = { replicas: 2, selector: { matchLabels: { app: 'c' } }, template };
  return typed(Deployment, { metadata: { namespace, name }, spec });
}

test("Knative's kinds are among the definitions, established under their own names", async () => {
  await using w = await world();
  await w.settled();
  const { items } = await w.client.list(CustomResourceDefinition);
  assert.equal(items.length, knativeKinds.length);
  for (const { status } of items) {
    assert.equal(status?.conditions?.find(({ type }) => type === 'Established')?.status, 'True');
  }
});

test('a definition of a kind of ours changes nothing but its labels, and cannot be deleted', async () => {
  await using w = await world();
  await w.settled();
  const served = w.api.api.registry.find('serving.knative.dev', 'v1', 'services');
  const body = { metadata: { labels: { mine: 'yes' } }, spec: { versions: [], scope: 'Cluster' } };
  const written = await w.client.patch(CustomResourceDefinition, SERVICES, { type: 'merge', body });
  assert.equal(written.metadata.labels?.['mine'], 'yes');
  assert.equal(written.spec.scope, 'Namespaced');
  assert.equal(written.metadata.generation, 1);
  assert.match(w.warnings.join(), /Pinnace has Service inside/);
  assert.equal(w.api.api.registry.find('serving.knative.dev', 'v1', 'services'), served);
  await assert.rejects(w.client.delete(CustomResourceDefinition, SERVICES), (error) => isStatus(error, 'Forbidden'));
  assert.equal(served?.kind, Service);
});

for (const [namespace, name, told] of [
  ['knative-serving', 'activator', /has Knative Serving inside/],
  ['knative-eventing', 'eventing-controller', /no Knative Eventing yet/],
] as const) {
  test(`${name} is kept without pods, is available, and says why`, async () => {
    await using w = await world();
    await w.client.create(Deployment, deployment(namespace, name));
    await w.settled();
    assert.match(w.warnings.join(), told);
    assert.deepEqual((await w.client.list(Pod, { namespace })).items, []);
    const { spec, status } = await w.client.get(Deployment, { namespace, name });
    assert.equal(spec.replicas, 0);
    const available = status?.conditions?.find(({ type }) => type === 'Available');
    assert.equal(available?.status, 'True');
    assert.match(available?.message ?? '', told);
    const body: unknown = { spec: { replicas: 3 } };
    const scaled = await w.client.patch(Deployment, { namespace, name }, { type: 'merge', body });
    assert.equal(scaled.spec.replicas, 0, 'nobody scales it up');
  });
}

test('an installation job is done as soon as it is there', async () => {
  await using w = await world();
  const spec = { template: { spec: { ...template.spec, restartPolicy: 'Never' as const } } };
  const job = typed(Job, { metadata: { namespace: 'knative-serving', name: 'default-domain' }, spec });
  await w.client.create(Job, job);
  await w.settled();
  const { status } = await w.client.get(Job, { namespace: 'knative-serving', name: 'default-domain' });
  assert.equal(status?.conditions?.find(({ type }) => type === 'Complete')?.status, 'True');
  assert.deepEqual((await w.client.list(Pod, { namespace: 'knative-serving' })).items, []);
});

test('what is nobody of ours runs as ever', async () => {
  await using w = await world();
  await w.client.create(Deployment, deployment('default', 'activator'));
  await w.settled();
  assert.equal((await w.client.list(Pod, { namespace: 'default' })).items.length, 2);
  assert.deepEqual(w.warnings, []);
});

test('kinds of Eventing are served like any that a user defines, with a word that nothing acts on them', async () => {
  await using w = await world();
  const brokers = definition({ group: 'eventing.knative.dev', names: { plural: 'brokers', kind: 'Broker' } });
  await w.client.create(CustomResourceDefinition, brokers);
  await w.settled();
  assert.match(w.warnings.join(), /no Knative Eventing yet/);
  const broker: KubeObject = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { namespace: 'default', name: 'b' },
  };
  await w.client.create(tokenOf(brokers), broker);
  assert.equal((await w.client.list(tokenOf(brokers))).items.length, 1);
});
