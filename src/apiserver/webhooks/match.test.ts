import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Matched, matchedResource, matchesEither } from '#apiserver/webhooks/match.ts';
import type { RuleWithOperations } from '#kube/kinds/admissionregistration/webhook.ts';
import { EVERYTHING, NOTHING, selectorOfLabels } from '#kube/selectors.ts';

const services = { group: 'serving.knative.dev', version: 'v1', resource: 'services' };
const all: RuleWithOperations = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };

function asked(changes: Partial<Matched> = {}): Matched {
  return { operation: 'CREATE', resource: services, subresource: '', namespace: 'default', ...changes };
}

const rows: readonly {
  readonly behaviour: string;
  readonly rule: RuleWithOperations;
  readonly request?: Partial<Matched>;
  readonly sees: boolean;
}[] = [
  { behaviour: 'a star sees everything', rule: {}, sees: true },
  { behaviour: 'another group is not seen', rule: { apiGroups: ['apps'] }, sees: false },
  { behaviour: 'another version is not seen', rule: { apiVersions: ['v1beta1'] }, sees: false },
  { behaviour: 'another operation is not seen', rule: { operations: ['UPDATE', 'DELETE'] }, sees: false },
  { behaviour: 'one of several operations is seen', rule: { operations: ['UPDATE', 'CREATE'] }, sees: true },
  { behaviour: 'a star means no subresource', rule: {}, request: { subresource: 'status' }, sees: false },
  {
    behaviour: 'a resource means no subresource',
    rule: { resources: ['services'] },
    request: { subresource: 'status' },
    sees: false,
  },
  {
    behaviour: 'all subresources of a resource',
    rule: { resources: ['services/*'] },
    request: { subresource: 'status' },
    sees: true,
  },
  { behaviour: 'all subresources are the resource too', rule: { resources: ['services/*'] }, sees: true },
  {
    behaviour: 'a subresource of every resource',
    rule: { resources: ['*/status'] },
    request: { subresource: 'status' },
    sees: true,
  },
  { behaviour: 'a subresource is not the resource', rule: { resources: ['*/status'] }, sees: false },
  { behaviour: 'everything there is', rule: { resources: ['*/*'] }, request: { subresource: 'scale' }, sees: true },
  { behaviour: 'namespaced objects', rule: { scope: 'Namespaced' }, sees: true },
  { behaviour: 'cluster-wide objects only', rule: { scope: 'Cluster' }, sees: false },
  { behaviour: 'cluster-wide objects', rule: { scope: 'Cluster' }, request: { namespace: '' }, sees: true },
  {
    behaviour: 'a namespace is cluster-wide though it carries its own name',
    rule: { scope: 'Cluster' },
    request: { resource: { group: '', version: 'v1', resource: 'namespaces' }, namespace: 'a' },
    sees: true,
  },
  {
    behaviour: 'a namespace is not namespaced',
    rule: { scope: 'Namespaced' },
    request: { resource: { group: '', version: 'v1', resource: 'namespaces' }, namespace: 'a' },
    sees: false,
  },
  { behaviour: 'a rule without resources sees nothing', rule: { resources: undefined }, sees: false },
];

describe('rules', () => {
  for (const { behaviour, rule, request, sees } of rows) {
    test(behaviour, () => {
      const hook = { rules: [{ ...all, ...rule }], matchesEquivalents: false };
      assert.equal(matchedResource(hook, asked(request), () => []) !== undefined, sees);
    });
  }
});

describe('equivalent resources', () => {
  const old = { ...services, version: 'v1alpha1' };
  const rules = [{ ...all, apiVersions: ['v1alpha1'] }];

  test('are seen in the version of the rule', () => {
    assert.deepEqual(
      matchedResource({ rules, matchesEquivalents: true }, asked(), () => [old]),
      old,
    );
  });

  test('are not seen under Exact', () => {
    assert.equal(
      matchedResource({ rules, matchesEquivalents: false }, asked(), () => [old]),
      undefined,
    );
  });

  test('do not count when the request itself is meant', () => {
    const both = [{ ...all, apiVersions: ['v1alpha1', 'v1'] }];
    assert.deepEqual(
      matchedResource({ rules: both, matchesEquivalents: true }, asked(), () => [old]),
      services,
    );
  });
});

test('selectors look at the new object and at the old one', () => {
  const selector = selectorOfLabels({ a: 'b' });
  assert.equal(matchesEither(selector, { a: 'b' }, undefined), true);
  assert.equal(matchesEither(selector, {}, { a: 'b' }), true);
  assert.equal(matchesEither(selector, {}, {}), false);
  assert.equal(matchesEither(EVERYTHING, undefined), true);
  assert.equal(matchesEither(NOTHING, { a: 'b' }), false);
});
