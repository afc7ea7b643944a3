/** A domain of the user's own: whose it is, where it leads, and what stands in the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { domainMappingConditions } from '#knative/conditions.ts';
import { ClusterDomainClaim } from '#knative/kinds/cluster-domain-claim.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { type DomainMappingWorld, planDomainMapping } from '#serving/domain-mapping/plan.ts';
import { configOf, draftOf, namesOf, ready, type Shape, stored, toldBy, writtenBy } from '#testing/knative-objects.ts';

const TARGET = new URL('http://a.default.svc.cluster.local');
const ref = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'a' };

function mapping({ meta, status, spec }: Shape = {}): Stored<DomainMapping> {
  return stored(DomainMapping, 'x.org', { spec: { ref, ...spec }, status: status ?? { observedGeneration: 1 } }, meta);
}

function claim(namespace: string): Stored<ClusterDomainClaim> {
  return stored(ClusterDomainClaim, 'x.org', { spec: { namespace } });
}

interface World extends Partial<DomainMappingWorld> {
  readonly config?: Record<string, string>;
}

function plan({ config = {}, ...world }: World = {}) {
  const { network } = configOf({ 'config-network': config });
  const object = world.mapping ?? mapping();
  const draft = draftOf(domainMappingConditions, { ...object.status });
  const full = { claim: claim('default'), target: TARGET, ...world, mapping: object };
  const result = planDomainMapping(full, draft, { network, clusterDomain: 'cluster.local' });
  return { ...result, verbs: namesOf(result.steps), told: toldBy(draft.status), status: draft.status };
}

const NO_TLS = 'CertificateProvisioned True TLSNotEnabled: external-domain-tls is not enabled';
const NOT_CONFIGURED = 'Unknown IngressNotConfigured: Ingress has not yet been reconciled.';

test('a claimed domain gets an Ingress that says where the request came from', () => {
  const { steps, verbs, told, status } = plan();
  assert.deepEqual(verbs, ['create Ingress x.org']);
  const made = writtenBy(steps, Ingress, 'x.org');
  const split = {
    serviceNamespace: 'default',
    serviceName: 'a',
    servicePort: 80,
    percent: 100,
    appendHeaders: { 'K-Original-Host': 'x.org' },
  };
  assert.deepEqual(made?.spec.rules, [
    {
      hosts: ['x.org'],
      visibility: 'ExternalIP',
      http: { paths: [{ rewriteHost: 'a.default.svc.cluster.local', splits: [split] }] },
    },
  ]);
  assert.deepEqual(made?.metadata, {
    name: 'x.org',
    namespace: 'default',
    labels: {
      'serving.knative.dev/domainMappingUID': 'uid-of-DomainMapping-x.org',
      'serving.knative.dev/domainMappingNamespace': 'default',
    },
    annotations: { 'networking.knative.dev/ingress.class': 'kourier.ingress.networking.knative.dev' },
    ownerReferences: [controllerRefTo(mapping())],
  });
  assert.deepEqual(told, [
    NO_TLS,
    'DomainClaimed True',
    `IngressReady ${NOT_CONFIGURED}`,
    `Ready ${NOT_CONFIGURED}`,
    'ReferenceResolved True',
  ]);
  assert.equal(status.url, 'http://x.org');
  assert.equal(status.address?.url, 'http://x.org');
});

/** The Ingress of the plan, as a gateway has told of it. */
function served(condition: ReturnType<typeof ready>, observedGeneration = 1): Stored<Ingress> {
  const made = writtenBy(plan().steps, Ingress, 'x.org') ?? assert.fail('no Ingress');
  const status = { observedGeneration, conditions: [condition] };
  return stored(Ingress, 'x.org', { spec: made.spec, status }, made.metadata);
}

const INGRESS: readonly [string, Stored<Ingress>, string][] = [
  ['served', served(ready('True')), 'Ready True'],
  ['waiting', served(ready('Unknown', 'Uninitialized', 'wait')), 'Ready Unknown Uninitialized: wait'],
  ['refused', served(ready('False', 'DomainConflict', 'no')), 'Ready False DomainConflict: no'],
  ['not looked at since', served(ready('True'), 0), `Ready ${NOT_CONFIGURED}`],
];

for (const [what, ingress, line] of INGRESS) {
  test(`an Ingress that is ${what}`, () => {
    const { verbs, told } = plan({ ingress });
    assert.deepEqual(verbs, []);
    assert.ok(told.includes(line), told.join('; '));
  });
}

test('claims are made where that is allowed', () => {
  const { steps, verbs } = plan({ claim: undefined, config: { 'autocreate-cluster-domain-claims': 'true' } });
  assert.deepEqual(verbs, ['create ClusterDomainClaim x.org', 'create Ingress x.org']);
  assert.deepEqual(writtenBy(steps, ClusterDomainClaim, 'x.org')?.spec, { namespace: 'default' });
});

const TAKEN = 'DomainClaimed False DomainAlreadyClaimed: The domain name is already in use by another DomainMapping';
const OBSTACLES: readonly [string, World, { failure: string; told: string[]; verbs?: string[] }][] = [
  [
    'a domain of another namespace',
    { claim: claim('other') },
    {
      failure: 'namespace "default" does not own ClusterDomainClaim for "x.org"',
      told: [TAKEN, 'CertificateProvisioned Unknown', 'ReferenceResolved Unknown'],
    },
  ],
  [
    'a domain that nobody claimed',
    { claim: undefined },
    {
      failure:
        'no ClusterDomainClaim found for domain "x.org" (and autocreate-cluster-domain-claims property is not true)',
      told: [TAKEN],
    },
  ],
  [
    'a reference to nothing',
    { target: new Error('failed to get object default/a: no') },
    {
      failure: 'resolving reference: failed to get object default/a: no',
      told: [NO_TLS, 'ReferenceResolved False ResolveFailed: failed to get object default/a: no'],
    },
  ],
  [
    'a reference to a path',
    { target: new URL('http://a.default.svc.cluster.local/path') },
    {
      failure: 'resolved URI "http://a.default.svc.cluster.local/path" contains a path',
      told: [
        'ReferenceResolved False ResolveFailed: resolved URI "http://a.default.svc.cluster.local/path" contains a path',
      ],
    },
  ],
  [
    'a reference out of the cluster',
    { target: new URL('http://example.com') },
    {
      failure: 'resolved URI "http://example.com" must be of the form {name}.{namespace}.svc.cluster.local',
      told: [],
    },
  ],
  [
    'a reference to another namespace',
    { target: new URL('http://a.other.svc.cluster.local') },
    {
      failure: 'resolved URI "http://a.other.svc.cluster.local" must be in same namespace as DomainMapping',
      told: [],
    },
  ],
];

for (const [what, world, expected] of OBSTACLES) {
  test(`${what} stops it`, () => {
    const { failure, told, verbs } = plan(world);
    assert.equal(failure?.message, expected.failure);
    for (const line of expected.told) assert.ok(told.includes(line), `${line} among ${told.join('; ')}`);
    assert.deepEqual(verbs, expected.verbs ?? []);
  });
}

test('a changed mapping takes back that its Ingress is ready, even where something else stands in the way', () => {
  const conditions = [{ ...ready('True'), type: 'IngressReady' }];
  const changed = mapping({ meta: { generation: 2 }, status: { observedGeneration: 1, conditions } });
  assert.ok(plan({ mapping: changed, claim: claim('other') }).told.includes(`IngressReady ${NOT_CONFIGURED}`));
});

test('a certificate of the user’s own makes the URL https', () => {
  const { steps, told, status } = plan({ mapping: mapping({ spec: { tls: { secretName: 's' } } }) });
  assert.equal(status.url, 'https://x.org');
  assert.ok(
    told.includes('CertificateProvisioned True CertificateExternallyProvided: TLS certificate was provided externally'),
  );
  assert.deepEqual(writtenBy(steps, Ingress, 'x.org')?.spec.tls, [
    { hosts: ['x.org'], secretName: 's', secretNamespace: 'default' },
  ]);
});

test('the Ingress takes over labels and annotations, the class under its present name', () => {
  const annotations = { team: 'x', 'networking.knative.dev/ingress-class': 'mine' };
  const made = writtenBy(plan({ mapping: mapping({ meta: { annotations } }) }).steps, Ingress, 'x.org');
  assert.deepEqual(made?.metadata.annotations, { team: 'x', 'networking.knative.dev/ingress.class': 'mine' });
});
