import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';
import { legacyViews } from '#knative/legacy/v1alpha1.ts';

const container = { image: 'dev.local/hello:1' };
const configuration = { revisionTemplate: { metadata: { labels: { a: 'b' } }, spec: { container } } };
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };

type Content = KubeObject & { spec?: unknown; status?: unknown };

function viewOf(kind: string) {
  const view = legacyViews.find((one) => one.kind.kind === kind);
  assert.ok(view);
  return view;
}

function old(kind: string, spec: unknown, uid?: string): Content {
  return { apiVersion: 'serving.knative.dev/v1alpha1', kind, metadata: { name: 'a', ...(uid ? { uid } : {}) }, spec };
}

const REFUSED = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ';

/** The spec in v1, or why there is none. */
function convert(object: Content): unknown {
  try {
    const stored = viewOf(object.kind).toStored(object) as Content;
    assert.equal(stored.apiVersion, 'serving.knative.dev/v1');
    return stored.spec;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    assert.equal(error.code, 400);
    assert.ok(error.message.startsWith(REFUSED));
    return error.message.slice(REFUSED.length);
  }
}

const tag = { latestRevision: true, percent: 0, tag: 'latest' };

const good: [string, Content, unknown][] = [
  [
    'runLatest',
    old('Service', { runLatest: { configuration } }),
    { template, traffic: [{ percent: 100, latestRevision: true }] },
  ],
  [
    'pinned',
    old('Service', { pinned: { revisionName: 'a-1', configuration } }),
    { template, traffic: [{ revisionName: 'a-1', percent: 100 }] },
  ],
  [
    'release of one revision',
    old('Service', { release: { revisions: ['a-1'], configuration } }),
    { template, traffic: [{ revisionName: 'a-1', percent: 100, tag: 'current' }, tag] },
  ],
  [
    'release of two, the second being the latest',
    old('Service', { release: { revisions: ['a-1', '@latest'], rolloutPercent: 10, configuration } }),
    {
      template,
      traffic: [
        { revisionName: 'a-1', percent: 90, tag: 'current' },
        { latestRevision: true, percent: 10, tag: 'candidate' },
        tag,
      ],
    },
  ],
  [
    'template and traffic with names',
    old('Service', { template, traffic: [{ name: 'x', percent: 100 }] }),
    { template, traffic: [{ tag: 'x', percent: 100 }] },
  ],
  ['generation is dropped', old('Configuration', { generation: 3, revisionTemplate: template }), { template }],
  [
    'concurrencyModel Single means one request at once',
    old('Revision', { container, concurrencyModel: 'Single', servingState: 'Active', timeoutSeconds: 5 }),
    { containers: [container], containerConcurrency: 1, timeoutSeconds: 5 },
  ],
  [
    'a Route',
    old('Route', { traffic: [{ name: 'v', revisionName: 'r', percent: 100 }] }),
    { traffic: [{ tag: 'v', revisionName: 'r', percent: 100 }] },
  ],
  [
    'a patch of runLatest onto what was read as a template',
    old('Service', { runLatest: { configuration }, template: { spec: {} }, traffic: [] }, 'u'),
    { template, traffic: [{ percent: 100, latestRevision: true }] },
  ],
];
for (const [name, object, expected] of good) {
  test(`v1alpha1 to v1: ${name}`, () => assert.deepEqual(convert(object), expected));
}

const bad: [string, Content, string][] = [
  [
    'none of the modes',
    old('Service', {}),
    'expected exactly one, got neither: spec.pinned, spec.release, spec.runLatest, spec.template',
  ],
  [
    'two modes',
    old('Service', { runLatest: {}, pinned: {} }),
    'expected exactly one, got both: spec.pinned, spec.runLatest',
  ],
  [
    'a mode and a template',
    old('Service', { runLatest: { configuration }, template }),
    'expected exactly one, got both: spec.runLatest, spec.template',
  ],
  ['manual', old('Service', { manual: {} }), 'must not set the field(s): spec.manual'],
  [
    'release without revisions',
    old('Service', { release: { configuration } }),
    'missing field(s): spec.release.revisions',
  ],
  [
    'release of too many, with a bad name and percent',
    old('Service', { release: { revisions: ['a', 'b', 'C!'], rolloutPercent: 100, configuration } }),
    'expected 0 <= 100 <= 99: spec.release.rolloutPercent\n' +
      'expected 1 <= 3 <= 2: spec.release.revisions\n' +
      "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
      "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', " +
      "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: spec.release.revisions[2]",
  ],
  [
    'rolloutPercent for a single revision',
    old('Service', { release: { revisions: ['a'], rolloutPercent: 5, configuration } }),
    'may not set rolloutPercent for a single revision: spec.release.rolloutPercent',
  ],
  ['pinned to nothing', old('Service', { pinned: { configuration } }), 'missing field(s): spec.pinned.revisionName'],
  [
    'no template',
    old('Service', { runLatest: {} }),
    'expected exactly one, got neither: spec.runLatest.configuration.revisionTemplate, spec.runLatest.configuration.template',
  ],
  [
    'two templates',
    old('Configuration', { template, revisionTemplate: template }),
    'expected exactly one, got both: spec.revisionTemplate, spec.template',
  ],
  ['build', old('Configuration', { build: {}, template }), 'must not set the field(s): spec.build'],
  ['no container', old('Revision', {}), 'expected exactly one, got neither: spec.container, spec.containers'],
  [
    'container and containers',
    old('Revision', { container, containers: [container] }),
    'expected exactly one, got both: spec.container, spec.containers',
  ],
  [
    'an unknown concurrency model',
    old('Revision', { container, concurrencyModel: 'Few' }),
    'invalid value: Few: spec.concurrencyModel',
  ],
  [
    'name and tag',
    old('Route', { traffic: [{ name: 'a', tag: 'b' }] }),
    'expected exactly one, got both: spec.traffic[0].name, spec.traffic[0].tag',
  ],
];
for (const [name, object, expected] of bad) {
  test(`v1alpha1 refused: ${name}`, () => assert.equal(convert(object), expected));
}

test('whoever reads v1alpha1 finds the old members of the status', () => {
  const service: Content = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'ns' },
    spec: { template },
    status: {
      url: 'http://a.ns.localhost:8080',
      address: { url: 'http://a.ns.svc.cluster.local' },
      traffic: [{ tag: 'v', revisionName: 'a-1', percent: 100 }],
    },
  };
  const view = viewOf('Service').fromStored(service) as Content;
  assert.equal(view.apiVersion, 'serving.knative.dev/v1alpha1');
  assert.deepEqual(view.status, {
    url: 'http://a.ns.localhost:8080',
    domain: 'a.ns.localhost',
    domainInternal: 'a.ns.svc.cluster.local',
    address: { url: 'http://a.ns.svc.cluster.local', hostname: 'a.ns.svc.cluster.local' },
    traffic: [{ tag: 'v', name: 'v', revisionName: 'a-1', percent: 100 }],
  });
  assert.equal('domain' in (service.status as object), false, 'the stored object is left as it was');
});

test('a Revision shows its digest and Service where they used to be', () => {
  const status = { containerStatuses: [{ name: 'user-container', imageDigest: 'r/i@sha256:0' }] };
  const revision: Content = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: 'a-1' },
    status,
  };
  const view = viewOf('Revision').fromStored(revision) as Content;
  assert.deepEqual(view.status, { ...status, serviceName: 'a-1', imageDigest: 'r/i@sha256:0' });
});
