import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKnativeConfig } from '#knative/config/all.ts';
import {
  expandedHosts,
  externalHost,
  type HostSettings,
  isPrivateRoute,
  localHost,
  urlOf,
  type Visibility,
} from '#serving/route/hosts.ts';
import { route } from '#testing/knative-objects.ts';

type Data = Record<string, string>;

function settings(network: Data = {}, domain: Data = { 'example.com': '' }): HostSettings {
  const maps = [
    { metadata: { name: 'config-network' }, data: network },
    { metadata: { name: 'config-domain' }, data: domain },
  ];
  return { ...parseKnativeConfig(maps), clusterDomain: 'cluster.local' };
}

const plain = route('a', []);
const labelled = (labels: Record<string, string>) => route('a', [], { meta: { labels } });
const local = { 'networking.knative.dev/visibility': 'cluster-local' };

const hosts: [why: string, actual: () => string, expected: string][] = [
  ['the route’s own', () => externalHost(plain, '', settings()), 'a.default.example.com'],
  ['a tag’s', () => externalHost(plain, 'blue', settings()), 'blue-a.default.example.com'],
  [
    'by the domain template',
    () => externalHost(plain, '', settings({ 'domain-template': '{{.Name}}.{{.Domain}}' })),
    'a.example.com',
  ],
  [
    'by the tag template',
    () => externalHost(plain, 'blue', settings({ 'tag-template': '{{.Name}}--{{.Tag}}' })),
    'a--blue.default.example.com',
  ],
  [
    'with labels in the template',
    () =>
      externalHost(
        labelled({ x: 'y' }),
        '',
        settings({ 'domain-template': '{{.Name}}.{{index .Labels "x"}}.{{.Domain}}' }),
      ),
    'a.y.example.com',
  ],
  [
    'the domain whose selector fits best',
    () =>
      externalHost(labelled({ app: 'x' }), '', settings({}, { 'example.com': '', 'x.org': 'selector:\n  app: x\n' })),
    'a.default.x.org',
  ],
  ['inside', () => localHost(plain, '', settings()), 'a.default.svc.cluster.local'],
  [
    'a tag’s inside, by the tag template but no domain template',
    () => localHost(plain, 'b', settings({ 'domain-template': '{{.Name}}.{{.Domain}}' })),
    'b-a.default.svc.cluster.local',
  ],
];

for (const [why, actual, expected] of hosts) test(`host: ${why}`, () => assert.equal(actual(), expected));

const refused: [why: string, network: Data, message: RegExp][] = [
  [
    'one segment',
    { 'domain-template': '{{.Name}}' },
    /domain name error: invalid domain name "a": url: .*at least two segments/,
  ],
  [
    'bad letters',
    { 'domain-template': '{{.Name}}_x.{{.Domain}}' },
    /domain name error: invalid domain name "a_x.example.com"/,
  ],
];

for (const [why, network, message] of refused) {
  test(`a template that gives no host is refused: ${why}`, () => {
    assert.throws(() => externalHost(plain, '', settings(network)), { name: 'DomainNameError', message });
  });
}

test('private: by the label, or by a domain inside the cluster', () => {
  assert.equal(isPrivateRoute(plain, settings()), false);
  assert.equal(isPrivateRoute(labelled(local), settings()), true);
  assert.equal(isPrivateRoute(plain, settings({}, { 'svc.cluster.local': '' })), true);
});

const urls: [network: Data, visibility: Visibility, expected: string][] = [
  [{}, 'ExternalIP', 'http://h'],
  [{ 'default-external-scheme': 'https' }, 'ExternalIP', 'https://h'],
  [{ 'default-external-scheme': 'https' }, 'ClusterLocal', 'http://h'],
  [{ 'external-http-port': '8080' }, 'ExternalIP', 'http://h:8080'],
  [{ 'external-http-port': '80' }, 'ExternalIP', 'http://h'],
  [{ 'external-http-port': '8080' }, 'ClusterLocal', 'http://h'],
];

for (const [network, visibility, expected] of urls) {
  test(`URL: ${visibility} with ${JSON.stringify(network)}`, () => {
    assert.equal(urlOf('h', visibility, settings(network).network), expected);
  });
}

const expanded: [host: string, expected: string[]][] = [
  ['a.b.svc.cluster.local', ['a.b', 'a.b.svc', 'a.b.svc.cluster.local']],
  ['a.b.c.com', ['a.b.c.com']],
  ['a.7.svc.cluster.local', ['a.7.svc', 'a.7.svc.cluster.local']],
  [`a.${'n'.repeat(64)}.svc.cluster.local`, [`a.${'n'.repeat(64)}.svc`, `a.${'n'.repeat(64)}.svc.cluster.local`]],
];

for (const [host, expected] of expanded) {
  test(`expanded: ${host.slice(0, 30)}`, () => assert.deepEqual(expandedHosts(host, 'cluster.local'), expected));
}
