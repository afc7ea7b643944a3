/**
 * What a manifest may say beyond the main road, on a whole platform with kubectl: forms of the first years, visibility,
 * gradual rollout, routing by header, settings that take effect at once; and what is refused, with which words.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { eventually } from '#testing/eventually.ts';
import { OracleCluster } from '#testing/oracle-cluster.ts';
import { runProgram, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, serviceManifest, untilReady } from '#testing/service.ts';

const real = needs('root', 'runc', 'compiler', 'kubectl', 'curl');
const recent = needs('root', 'runc', 'compiler', 'kubectl 1.32 or later', 'curl');
const SERVICES = '/apis/serving.knative.dev/v1/namespaces/default/services';
const CONFIG = 'knative-serving';

let platform: TestPlatform;
let cluster: OracleCluster;

before(async () => {
  if (real.skip !== undefined) return;
  platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'] });
  cluster = new OracleCluster(loadKubeconfig(platform.paths.kubeconfig));
});

after(async () => {
  cluster?.[Symbol.dispose]();
  await platform?.[Symbol.asyncDispose]();
});

const container = (image = 'test/app:1') => ({ image, imagePullPolicy: 'IfNotPresent' });

function manifest(kind: string, name: string, spec: unknown, version = 'v1'): string {
  return JSON.stringify({ apiVersion: `serving.knative.dev/${version}`, kind, metadata: { name }, spec });
}

async function apply(text: string): Promise<void> {
  await platform.kubectl(['apply', '-f', '-'], text);
}

/** One value of an object, as kubectl prints it. */
function valueOf(object: string, path: string): Promise<string> {
  return platform.kubectl(['get', object, '-o', `jsonpath={${path}}`]);
}

test('v1alpha1: a Service that runs the latest, read in both versions', real, async () => {
  const spec = { runLatest: { configuration: { revisionTemplate: { spec: { container: container() } } } } };
  await apply(manifest('Service', 'legacy', spec, 'v1alpha1'));
  const url = await untilReady(platform, 'legacy');
  assert.match((await platform.get(url)).body, /legacy-00001/);
  const old = 'services.v1alpha1.serving.knative.dev/legacy';
  assert.equal(await valueOf(old, '.status.domain'), new URL(url).hostname);
  assert.equal(await valueOf(old, '.status.address.hostname'), 'legacy.default.svc.cluster.local');
  assert.equal(await valueOf('ksvc/legacy', '.spec.template.spec.containers[0].image'), 'test/app:1');
});

test('v1alpha1: a Configuration and a Route whose targets have names', real, async () => {
  const template = { revisionTemplate: { spec: { container: container() } } };
  await apply(manifest('Configuration', 'parts', template, 'v1alpha1'));
  await platform.kubectl(['wait', '--for=condition=Ready', 'configuration/parts', '--timeout=20s']);
  const traffic = [{ configurationName: 'parts', percent: 100, name: 'live' }];
  await apply(manifest('Route', 'parts', { traffic }, 'v1alpha1'));
  await platform.kubectl(['wait', '--for=condition=Ready', 'rt/parts', '--timeout=20s']);
  assert.match((await platform.get(await valueOf('rt/parts', '.status.traffic[0].url'))).body, /parts-00001/);
  assert.equal(await valueOf('routes.v1alpha1.serving.knative.dev/parts', '.status.traffic[0].name'), 'live');
  assert.equal(await valueOf('rt/parts', '.spec.traffic[0].tag'), 'live');
});

test('cluster-local: out of reach from outside, served inside', real, async () => {
  const service = serviceManifest('inner');
  service.metadata.labels = { 'networking.knative.dev/visibility': 'cluster-local' };
  await platform.client.create(Service, service);
  const url = await untilReady(platform, 'inner');
  assert.equal(url, 'http://inner.default.svc.cluster.local');
  assert.equal((await platform.get(url)).status, 404);
  const ref = { namespace: 'kourier-system', name: 'kourier-internal' };
  const [subset] = (await platform.client.get(Endpoints, ref)).subsets ?? [];
  const port = subset?.ports?.find(({ name }) => name === 'http2')?.port ?? subset?.ports?.[0]?.port;
  const inside = `http://${subset?.addresses?.[0]?.ip}:${port}/`;
  const answer = await runProgram('curl', ['-s', '-H', `Host: ${new URL(url).host}`, inside]);
  assert.match(answer.stdout, /inner-00001/);
  await platform.kubectl(['label', 'ksvc', 'inner', 'networking.knative.dev/visibility-']);
  const outside = await eventually(
    async () => {
      const now = await valueOf('ksvc/inner', '.status.url');
      return now.includes('svc.cluster.local') || (await platform.get(now)).status !== 200 ? undefined : now;
    },
    { timeoutMs: 10_000, what: 'a public Route' },
  );
  assert.match(outside, /^http:\/\/inner\.default\.localhost/);
});

test('rollout-duration: shares move in steps, and every request is answered', real, async () => {
  const service = serviceManifest('gradual');
  service.metadata.annotations = { 'serving.knative.dev/rollout-duration': '4s' };
  await platform.client.create(Service, service);
  const url = await untilReady(platform, 'gradual');
  await platform.client.patch(
    Service,
    { namespace: 'default', name: 'gradual' },
    { type: 'merge', body: { spec: { template: { spec: { containers: [container('test/app:2')] } } } } },
  );
  const shares = new Set<number>();
  const isOver = async () => {
    assert.equal((await platform.get(url)).status, 200);
    const { status } = await platform.client.get(Route, { namespace: 'default', name: 'gradual' });
    const newest = status?.traffic?.find(({ revisionName }) => revisionName === 'gradual-00002');
    shares.add(newest?.percent ?? 0);
    return newest?.percent === 100;
  };
  await eventually(isOver, { timeoutMs: 20_000, intervalMs: 50, what: 'all traffic at the second revision' });
  const seen = [...shares];
  assert.deepEqual(seen.slice(0, 2), [0, 1], 'it begins with one percent');
  assert.ok(seen.length >= 4, `there are steps between: ${seen.join(', ')}`);
  assert.deepEqual(
    seen,
    seen.toSorted((left, right) => left - right),
  );
});

test('a tag in a header chooses the revision, from the moment that the feature is on', real, async () => {
  const url = await deploy(platform, 'tagged');
  const ref = { namespace: 'default', name: 'tagged' };
  const spec = {
    template: { spec: { containers: [container('test/app:2')] } },
    traffic: [
      { latestRevision: true, percent: 100 },
      { revisionName: 'tagged-00001', tag: 'old' },
    ],
  };
  await platform.client.patch(Service, ref, { type: 'merge', body: { spec } });
  await untilReady(platform, 'tagged');
  const ask = async (tag: string) => (await platform.get(url, { 'knative-serving-tag': tag })).body;
  await eventually(async () => /tagged-00002/.test(await ask('old')), { what: 'the second revision' });
  await platform.configure('config-features', { 'tag-header-based-routing': 'enabled' });
  await eventually(async () => /tagged-00001/.test(await ask('old')), { what: 'routing by header' });
  assert.match(await ask('none'), /tagged-00002/, 'an unknown tag counts as none');
  await platform.configure('config-features', { 'tag-header-based-routing': null });
  await eventually(async () => /tagged-00002/.test(await ask('old')), { what: 'no routing by header' });
});

const badSettings: readonly { name: string; key: string; value: string; refusal: RegExp }[] = [
  { name: 'config-autoscaler', key: 'stable-window', value: '1s', refusal: /stable-window = 1s, must be in \[6s/ },
  {
    name: 'config-autoscaler',
    key: 'initial-scale',
    value: '0',
    refusal: /initial-scale = 0, must be at least 0 .or at least 1/,
  },
  { name: 'config-defaults', key: 'revision-timeout-seconds', value: '601', refusal: /revision-timeout-seconds/ },
  { name: 'config-gc', key: 'min-non-active-revisions', value: 'x', refusal: /strconv\.ParseInt: parsing "x"/ },
  { name: 'config-network', key: 'domain-template', value: '{{.Name', refusal: /template/ },
  { name: 'config-deployment', key: 'digest-resolution-timeout', value: '0s', refusal: /digest-resolution-timeout/ },
  { name: 'config-features', key: '_example', value: 'edited', refusal: /_example/ },
];
for (const { name, key, value, refusal } of badSettings) {
  test(`a bad setting is refused on write: ${name} ${key}`, real, async () => {
    const patch = JSON.stringify({ data: { [key]: value } });
    const args = ['-n', CONFIG, 'patch', 'configmap', name, '--type', 'merge', '-p', patch];
    const { code, stderr } = await platform.tryKubectl(args);
    assert.equal(code, 1);
    assert.match(stderr, /admission webhook "config\.webhook\.serving\.knative\.dev" denied the request: /);
    assert.match(stderr, refusal);
  });
}

test('good settings take effect at once: defaults of new Services, hosts of those that are there', real, async () => {
  const url = await deploy(platform, 'settings');
  await platform.configure('config-defaults', { 'revision-timeout-seconds': '120' });
  const { body } = await cluster.send({
    method: 'POST',
    path: `${SERVICES}?dryRun=All`,
    body: serviceManifest('another'),
  });
  const { timeoutSeconds } = (body as Service).spec.template.spec;
  assert.equal(timeoutSeconds, 120);
  await platform.configure('config-domain', { 'example.org': '' });
  const moved = await eventually(
    async () => {
      const now = await valueOf('ksvc/settings', '.status.url');
      return now === url || (await platform.get(now)).status !== 200 ? undefined : now;
    },
    { timeoutMs: 10_000, what: 'the new host' },
  );
  assert.match(moved, /^http:\/\/settings\.default\.example\.org/);
  assert.equal((await platform.get(url)).status, 404, 'the old host is gone');
  await platform.configure('config-domain', { 'example.org': null });
  await platform.configure('config-defaults', { 'revision-timeout-seconds': null });
});

test('unknown fields: an error by default, a warning on request, nothing when ignored', recent, async () => {
  const spec = { template: { spec: { containers: [{ ...container(), imge: 'x' }], dnsPolcy: 'None' } } };
  const text = manifest('Service', 'unknown', spec);
  const create = (validate: string) =>
    platform.tryKubectl(['create', '--dry-run=server', `--validate=${validate}`, '-f', '-'], text);
  const fields = ['spec.template.spec.containers[0].imge', 'spec.template.spec.dnsPolcy'];
  const [strict, warn, ignore] = [await create('strict'), await create('warn'), await create('ignore')];
  assert.equal(strict.code, 1);
  for (const field of fields) {
    assert.ok(strict.stderr.includes(`unknown field "${field}"`), strict.stderr);
    assert.ok(warn.stderr.includes(`Warning: unknown field "${field}"`), warn.stderr);
  }
  assert.match(strict.stderr, /strict decoding error/);
  assert.deepEqual([warn.code, ignore.code], [0, 0]);
  assert.ok(!ignore.stderr.includes('unknown field'));
});

const DEPTH = 100_000;
const YAML = { 'content-type': 'application/yaml' };
const aliases = ['a: &a [x,x,x,x,x,x,x,x,x]', ...[...'bcdefgh'].map((name, at) => bomb(name, 'abcdefgh'[at] ?? ''))];

function bomb(name: string, of: string): string {
  return `${name}: &${name} [${Array(9).fill(`*${of}`).join(',')}]`;
}

const hostile: readonly {
  name: string;
  body: string;
  headers?: Record<string, string>;
  says: RegExp;
  code?: number;
}[] = [
  { name: 'no JSON', body: '{"kind": ', says: /object provided is unrecognized .*unexpected end of JSON input/ },
  { name: 'a list', body: '[]', says: /cannot unmarshal array into Go value/ },
  { name: 'nothing', body: '', says: /<empty>/ },
  { name: 'bad YAML', body: 'kind: [Service\nspec: {', headers: YAML, says: /yaml: line \d+: / },
  { name: 'YAML with a tab', body: 'kind: Service\n\tspec: x', headers: YAML, says: /yaml: line \d+: / },
  { name: 'YAML of aliases', body: aliases.join('\n'), headers: YAML, says: /excessive aliasing/ },
  { name: 'deep JSON', body: `{"a":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`, says: /nested more than 500 levels/ },
  {
    name: 'deep YAML',
    body: `a: ${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`,
    headers: YAML,
    says: /nested more than 500 levels/,
  },
  { name: 'deep YAML blocks', body: '- '.repeat(DEPTH), headers: YAML, says: /nested more than 500 levels/ },
  { name: 'more than 3 MiB', body: `{"a":"${'x'.repeat(3_200_000)}"}`, says: /limit is 3145728/, code: 413 },
  {
    name: 'another kind',
    body: '{"apiVersion":"v1","kind":"Pod"}',
    says: /API version in the data \(v1\) does not match/,
  },
];
for (const { name, body, headers = {}, says, code = 400 } of hostile) {
  test(`refused: ${name}`, real, async () => {
    const answer = await cluster.send({ method: 'POST', path: SERVICES, headers, body });
    assert.equal(answer.status, code, JSON.stringify(answer.body).slice(0, 300));
    const { message } = answer.body as { message: string };
    assert.match(message, says);
    assert.ok(message.length < 1_000, 'no more of the body is sent back than it takes to know it');
  });
}

test('whoever sent all that left nobody in the lurch', real, async () => {
  const { processes, ready } = await platform.status();
  assert.equal(ready, true);
  assert.deepEqual(
    processes.map(({ restarts }) => restarts),
    processes.map(() => 0),
  );
});
