/**
 * An installation of Knative as guides describe it, by the real kubectl: manifests in the shape of Knative's releases
 * (words and numbers are ours) are applied, waited for, and applied again over what the user has changed since.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { Caches } from '#client/caches.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { defaultConfigMaps, parseKnativeConfig } from '#knative/config/all.ts';
import { exampleChecksum } from '#knative/config/examples.ts';
import { knativeDefinitions } from '#knative/definitions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { knativeAdmission } from '#main/control/admission.ts';
import { insideAdmission } from '#main/control/inside-admission.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';
import { bootstrapSystem } from '#workloads/system/reconcile.ts';

const VERSION = '1.0.0';
const SERVING = 'knative-serving';
const EVENTING = 'knative-eventing';
const EXAMPLE = 'retain-since-create-time: "48h"\n';

const labels = (app: string) => ({ app, 'app.kubernetes.io/name': SERVING, 'app.kubernetes.io/version': '1.17.0' });
const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };

function crd(group: string, names: { plural: string; kind: string }): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}`, labels: { ...labels('crds'), 'knative.dev/crd-install': 'true' } },
    spec: {
      group,
      names: { ...names, singular: names.kind.toLowerCase(), categories: ['all', 'knative'] },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {} }, schema }],
    },
  };
}

function deployment(namespace: string, name: string): object {
  const containers = [{ name, image: `registry.example/${name}@sha256:${'0'.repeat(64)}` }];
  const template = { metadata: { labels: labels(name) }, spec: { serviceAccountName: 'controller', containers } };
  const metadata = { namespace, name, labels: labels(name) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: { app: name } }, template },
  };
}

function webhook(kind: 'Mutating' | 'Validating', name: string): object {
  const rule = {
    apiGroups: ['serving.knative.dev'],
    apiVersions: ['*'],
    operations: ['CREATE'],
    resources: ['services'],
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name, labels: labels('webhook') },
    webhooks: [
      {
        name,
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { namespace: SERVING, name: 'webhook' } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        rules: [rule],
      },
    ],
  };
}

const serving: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SERVING, labels: labels('core') } },
  crd('serving.knative.dev', { plural: 'services', kind: 'Service' }),
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: SERVING, name: 'controller' } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'knative-serving-admin', labels: labels('core') },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'serving.knative.dev/controller': 'true' } }] },
    rules: [],
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: SERVING,
      name: 'config-gc',
      labels: labels('core'),
      annotations: { 'knative.dev/example-checksum': exampleChecksum(EXAMPLE) },
    },
    data: { _example: EXAMPLE },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { namespace: SERVING, name: 'activator', labels: labels('activator') },
    spec: {
      minReplicas: 1,
      maxReplicas: 20,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'activator' },
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace: SERVING, name: 'activator-pdb', labels: labels('activator') },
    spec: { minAvailable: '80%', selector: { matchLabels: { app: 'activator' } } },
  },
  deployment(SERVING, 'activator'),
  deployment(SERVING, 'webhook'),
  webhook('Mutating', 'webhook.serving.knative.dev'),
  webhook('Validating', 'validation.webhook.serving.knative.dev'),
];

const kourier: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kourier-system', labels: labels('core') } },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: SERVING, name: 'config-kourier', labels: labels('core') },
    data: { _example: 'enable-service-access-logging: "true"\n' },
  },
  deployment(SERVING, 'net-kourier-controller'),
  deployment('kourier-system', '3scale-kourier-gateway'),
];

const eventing: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: EVENTING, labels: labels('core') } },
  crd('eventing.knative.dev', { plural: 'brokers', kind: 'Broker' }),
  deployment(EVENTING, 'eventing-controller'),
];

const manifest = (objects: readonly object[]) => objects.map((one) => stringify(one)).join('---\n');

describe("Knative's release manifests", needs('kubectl 1.32 or later'), () => {
  const stack = new AsyncDisposableStack();
  let api: HttpsApi;
  let home: TemporaryFolder;

  before(async () => {
    const kinds = [...builtinKinds, ...knativeKinds];
    const definitions = knativeDefinitions(VERSION);
    const config = parseKnativeConfig([]);
    const admission = [...knativeAdmission(() => config), ...insideAdmission(definitions)];
    api = stack.use(await startHttpsApi({ kinds, admission, podTokens: 'projected' }));
    home = stack.use(new TemporaryFolder('kubectl-home-'));
    const { client, metrics, pki } = api;
    const [clock, logger] = [systemClock, silentLogger];
    const caches = stack.use(new Caches({ client, clock, logger }));
    const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
    const environment = { client, caches, clock, logger, metrics, eventsOf, rootCa: pki.authorityCertificate };
    const controllers = createWorkloads({ ...environment, kinds: kinds.filter(({ kind }) => kind !== 'Event') });
    await caches.start();
    for (const controller of controllers) stack.use(controller).start();
    await bootstrapSystem({ client, configMaps: defaultConfigMaps(VERSION), definitions });
  });
  after(() => stack.disposeAsync());

  async function kubectl(args: readonly string[], input = ''): Promise<{ stdout: string; stderr: string }> {
    const env = { PATH: process.env['PATH'], HOME: home.path, KUBECONFIG: api.kubeconfig };
    const child = spawn('kubectl', args, { env });
    child.stdin.end(input);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    assert.equal(child.exitCode, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return { stdout, stderr };
  }
  const apply = (objects: readonly object[]) => kubectl(['apply', '-f', '-'], manifest(objects));
  const retention = 'jsonpath={.data.min-non-active-revisions}';

  test("Serving's are applied, and what waits for them goes on", async () => {
    const { stderr } = await apply(serving);
    assert.match(stderr, /Warning: Pinnace has Knative Serving inside/);
    assert.match(stderr, /Warning: Pinnace has Service inside/);
    const wait = ['wait', '--timeout=20s', '-n', SERVING];
    await kubectl([...wait, '--for=condition=Available', 'deployment', '--all']);
    await kubectl([...wait, '--for=condition=Established', 'crd', '--all']);
    await kubectl(['rollout', 'status', '--timeout=20s', '-n', SERVING, 'deployment/activator']);
    const { stdout } = await kubectl(['get', 'pods', '-A', '-o', 'name']);
    assert.equal(stdout, '');
  });

  test('applied again, they keep what the user has set', async () => {
    const body = JSON.stringify({ data: { 'min-non-active-revisions': '7' } });
    await kubectl(['patch', 'configmap', 'config-gc', '-n', SERVING, '--type=merge', '-p', body]);
    await apply(serving);
    const { stdout } = await kubectl(['get', 'configmap', 'config-gc', '-n', SERVING, '-o', retention]);
    assert.equal(stdout, '7');
  });

  test("Kourier's are applied, and its gateway is available", async () => {
    const { stderr } = await apply(kourier);
    assert.match(stderr, /Warning: Pinnace has Kourier inside/);
    await kubectl([
      'wait',
      '--timeout=20s',
      '-n',
      'kourier-system',
      '--for=condition=Available',
      'deployment',
      '--all',
    ]);
  });

  test("Eventing's are applied in the same way, with a word that nothing acts on them", async () => {
    const { stderr } = await apply(eventing);
    assert.match(stderr, /Warning: Pinnace has no Knative Eventing yet/);
    await kubectl(['wait', '--timeout=20s', '-n', EVENTING, '--for=condition=Available', 'deployment', '--all']);
    await kubectl(['wait', '--timeout=20s', '--for=condition=Established', 'crd/brokers.eventing.knative.dev']);
    const { stderr: none } = await kubectl(['get', 'brokers', '-n', EVENTING]);
    assert.match(none, /No resources found/);
  });
});
