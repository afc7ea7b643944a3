import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { defaultConfigMaps, parseKnativeConfig, validateConfigMap } from '#knative/config/all.ts';
import { runtimeClassForLabels } from '#knative/config/deployment.ts';
import { domainForLabels } from '#knative/config/domain.ts';
import { type ConfigMapName, documentedSettings, exampleChecksum } from '#knative/config/examples.ts';
import { externalUrl, renderDomain, renderTag } from '#knative/config/network.ts';

const of = (name: ConfigMapName, data: Record<string, string>) =>
  parseKnativeConfig([{ metadata: { name }, data }], {
    onError: (_, error) => {
      throw error;
    },
  });

/** Keys that stand in an example to show the form, where the default is something else. */
const SHOWN_ONLY = /^(revision-(cpu|memory|ephemeral).*|loglevel\..*)$/;

for (const configMap of defaultConfigMaps('v1')) {
  const name = configMap.metadata.name as ConfigMapName;
  const example = parse(configMap.data?.['_example'] ?? '') as Record<string, unknown>;

  const edited = { ...configMap, data: { ...configMap.data, _example: `${configMap.data?.['_example']}# x` } };

  test(`${name}: is valid as installed`, () => {
    assert.equal(validateConfigMap(configMap), undefined);
  });

  // Kourier's manifest brings another example, and no checksum.
  const isFree = name === 'config-kourier';
  test(`${name}: an edited example is ${isFree ? 'taken' : 'refused'}`, () => {
    if (isFree) assert.equal(validateConfigMap(edited), undefined);
    else assert.match(validateConfigMap(edited) ?? '', /^the update modifies a key in "_example"/);
  });

  test(`${name}: the example documents every setting once, as text`, () => {
    assert.deepEqual(
      Object.keys(example),
      documentedSettings[name].map(({ key }) => key),
    );
    for (const [key, value] of Object.entries(example)) assert.equal(typeof value, 'string', key);
  });

  if (name === 'config-domain') continue;
  test(`${name}: the example shows the defaults`, () => {
    const shown = Object.entries(example).filter(([key]) => !SHOWN_ONLY.test(key)) as [string, string][];
    const inherent = name === 'config-deployment' ? { 'queue-sidecar-image': 'dev.local/knative/queue:1' } : {};
    const actual = of(name, { ...Object.fromEntries(shown), ...inherent });
    assert.equal(JSON.stringify(actual), JSON.stringify(parseKnativeConfig([])));
  });
}

test('the checksum does not mind line breaks and outer space', () => {
  assert.equal(exampleChecksum('a\nb'), exampleChecksum('  a\r\n\n\nb\n'));
  assert.notEqual(exampleChecksum('a\nb'), exampleChecksum('ab'));
});

test('an unreadable ConfigMap keeps what was read before, and is told of', () => {
  const previous = of('config-gc', { 'min-non-active-revisions': '3' });
  const told: string[] = [];
  const bad = [{ metadata: { name: 'config-gc' }, data: { 'min-non-active-revisions': 'x' } }];
  const config = parseKnativeConfig(bad, {
    previous,
    onError: (name, error) => told.push(`${name}: ${error.message}`),
  });
  assert.equal(config.gc.minNonActiveRevisions, 3);
  assert.deepEqual(told, [
    'config-gc: failed to parse data: failed to parse "min-non-active-revisions": strconv.ParseInt: parsing "x": invalid syntax',
  ]);
  assert.equal(parseKnativeConfig(bad).gc.minNonActiveRevisions, 20);
});

const domainData = {
  'z.org': '',
  'a.org': '',
  'shop.com': 'selector:\n  app: shop\n',
  'prod.shop.com': 'selector:\n  app: shop\n  env: prod\n',
};
const domainRows: [string, Record<string, string>, Record<string, string>, string][] = [
  ['no ConfigMap: localhost', {}, {}, 'localhost'],
  ['only selectors: localhost for the rest', { 'shop.com': 'selector: {app: shop}' }, {}, 'localhost'],
  ['of two defaults the first by name', domainData, {}, 'a.org'],
  ['a matching selector', domainData, { app: 'shop' }, 'shop.com'],
  ['most labels win', domainData, { app: 'shop', env: 'prod', x: 'y' }, 'prod.shop.com'],
  ['cluster-local', domainData, { 'networking.knative.dev/visibility': 'cluster-local' }, 'svc.cluster.local'],
];
for (const [name, data, labels, expected] of domainRows) {
  test(`domain: ${name}`, () => assert.equal(domainForLabels(of('config-domain', data).domain, labels), expected));
}

test('old spellings are read, and lose to the new', () => {
  const { deployment } = of('config-deployment', {
    queueSidecarImage: 'old',
    'queue-sidecar-image': 'new',
    progressDeadline: '5s',
  });
  assert.equal(deployment.queueSidecarImage, 'new');
  assert.equal(deployment.progressDeadlineMs, 5000);
  const { network } = of('config-network', { 'ingress.class': 'old', autoTLS: 'Enabled', rolloutDuration: '7' });
  assert.equal(network.ingressClass, 'old');
  assert.equal(network.isExternalDomainTlsEnabled, true);
  assert.equal(network.rolloutDurationSeconds, 7);
});

test('hosts and tags from their templates', () => {
  const { network } = of('config-network', {
    'domain-template': '{{.Name}}-{{index .Annotations "sub"}}.{{.Domain}}',
    'tag-template': '{{.Name}}--{{.Tag}}',
  });
  const values = { name: 'hello', namespace: 'ns', domain: 'd.org', annotations: { sub: 'x' }, labels: {} };
  assert.equal(renderDomain(network.domainTemplate, values), 'hello-x.d.org');
  assert.equal(renderTag(network.tagTemplate, { name: 'hello', tag: 'blue' }), 'hello--blue');
});

test('public URLs show the port that the gateway has, unless it is the usual one', () => {
  const shown = of('config-network', { 'external-http-port': '8080', 'external-https-port': '443' }).network;
  assert.equal(externalUrl(shown, 'http', 'h'), 'http://h:8080');
  assert.equal(externalUrl(shown, 'https', 'h'), 'https://h');
  assert.equal(externalUrl(of('config-network', { 'external-http-port': '' }).network, 'http', 'h'), 'http://h');
  assert.throws(() => of('config-network', { 'external-http-port': '70000' }), /must be between 1 and 65535/);
});

test('runtime classes go by labels', () => {
  const { deployment } = of('config-deployment', {
    'queue-sidecar-image': 'q',
    'runtime-class-name': 'kata: {}\ngvisor: {selector: {safe: "yes"}}\n',
  });
  assert.equal(runtimeClassForLabels(deployment, {}), 'kata');
  assert.equal(runtimeClassForLabels(deployment, { safe: 'yes' }), 'gvisor');
});

test('container names come from the metadata of the parent', () => {
  const { defaults } = of('config-defaults', { 'container-name-template': 'c-{{.Name}}' });
  assert.equal(defaults.userContainerName({ name: 'hello' }), 'c-hello');
  assert.equal(defaults.initContainerName({ name: 'hello' }), 'init-container');
});

test('features: any case, unknown values keep the default', () => {
  const { features } = of('config-features', {
    'multi-container': 'maybe',
    'kubernetes.podspec-affinity': 'ALLOWED',
    'secure-pod-defaults': 'allowrootbounded',
  });
  assert.equal(features.multiContainer, 'Enabled');
  assert.equal(features.podSpecAffinity, 'Allowed');
  assert.equal(features.securePodDefaults, 'AllowRootBounded');
});
