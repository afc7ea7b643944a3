import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '#kube/kinds/core/container.ts';
import {
  containerEnvironment,
  ContainerConfigError,
  expand,
  type Lookup,
  serviceLinks,
} from '#runtime/pod/environment.ts';
import { pod, service } from '#testing/objects.ts';

const lookup: Lookup = {
  configMap: (name) => Promise.resolve(name === 'cm' ? { colour: 'blue', 'not valid=': 'x' } : undefined),
  secret: (name) => Promise.resolve(name === 'sec' ? { token: Buffer.from('s3cret') } : undefined),
  services: () => [],
};

async function env(container: Partial<Container>, imageEnv: string[] = []): Promise<Record<string, string>> {
  const input = {
    pod: pod({ name: 'p', labels: { app: 'x' } }),
    container: { name: 'c', image: 'x', ...container },
    imageEnv,
    hostname: 'p',
    podIp: '10.0.0.2',
    hostIp: '10.0.0.1',
    nodeName: 'here',
    allocatable: { cpu: '2', memory: '1Gi' },
  };
  const pairs = await containerEnvironment(input, lookup);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

test('the image is the base, envFrom comes over it, env over both', async () => {
  const got = await env(
    {
      envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'S_', secretRef: { name: 'sec' } }],
      env: [{ name: 'colour', value: 'red' }],
    },
    ['PATH=/image', 'colour=image', 'A=1', 'broken'],
  );
  assert.deepEqual(
    [got['PATH'], got['colour'], got['A'], got['S_token'], got['HOSTNAME']],
    ['/image', 'red', '1', 's3cret', 'p'],
  );
  assert.ok(!('not valid' in got) && !('broken' in got));
});

const sources: [string, NonNullable<Container['env']>[number]['valueFrom'], string][] = [
  ['a key of a ConfigMap', { configMapKeyRef: { name: 'cm', key: 'colour' } }, 'blue'],
  ['a key of a Secret', { secretKeyRef: { name: 'sec', key: 'token' } }, 's3cret'],
  ['the name of the pod', { fieldRef: { fieldPath: 'metadata.name' } }, 'p'],
  ['a label', { fieldRef: { fieldPath: "metadata.labels['app']" } }, 'x'],
  ['its address', { fieldRef: { fieldPath: 'status.podIP' } }, '10.0.0.2'],
  [
    "the node's memory where there is no limit",
    { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
    '1024',
  ],
];
for (const [name, valueFrom, expected] of sources) {
  test(`value from ${name}`, async () => assert.equal((await env({ env: [{ name: 'X', valueFrom }] }))['X'], expected));
}

const failures: [string, Partial<Container>, string][] = [
  [
    'no ConfigMap',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
    'configmap "none" not found',
  ],
  [
    'no Secret',
    { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] },
    'secret "none" not found',
  ],
  [
    'no key',
    { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'sec', key: 'k' } } }] },
    "couldn't find key k in Secret sec",
  ],
  ['no source', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
];
for (const [name, container, message] of failures) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(env(container), (error) => error instanceof ContainerConfigError && error.message === message);
  });
}

test('an optional reference that leads nowhere sets nothing', async () => {
  const got = await env({
    env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } } }],
    envFrom: [{ configMapRef: { name: 'none', optional: true } }],
  });
  assert.ok(!('X' in got));
});

test('variables in values: those before, escapes, unknown names', async () => {
  const got = await env({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)-$$(A)-$(NONE)-$(C)' },
      { name: 'C', value: 'late' },
    ],
  });
  assert.equal(got['B'], '1-$(A)-$(NONE)-$(C)');
  assert.equal(expand('$$$(A)', new Map([['A', 'x']])), '$x');
});

test('links to Services of the namespace and always to the API', () => {
  const api = {
    ...service('kubernetes', { clusterIP: '10.1.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] }),
  };
  api.metadata = { ...api.metadata, namespace: 'default' };
  const web = service('my-web', { clusterIP: '10.1.0.2', ports: [{ port: 80, protocol: 'TCP' }] });
  const headless = service('head', { clusterIP: 'None', ports: [{ port: 80, protocol: 'TCP' }] });
  const p = pod({ name: 'p' });
  const all = Object.fromEntries(serviceLinks(p, [api, web, headless]));
  assert.equal(all['KUBERNETES_SERVICE_HOST'], '10.1.0.1');
  assert.equal(all['MY_WEB_SERVICE_PORT'], '80');
  assert.equal(all['MY_WEB_PORT_80_TCP_ADDR'], '10.1.0.2');
  assert.ok(!Object.keys(all).some((name) => name.startsWith('HEAD')));
  const few = Object.fromEntries(serviceLinks({ ...p, spec: { ...p.spec, enableServiceLinks: false } }, [api, web]));
  assert.deepEqual(
    Object.keys(few).filter((name) => name.startsWith('MY_WEB')),
    [],
  );
  assert.equal(few['KUBERNETES_SERVICE_PORT'], '443');
});
