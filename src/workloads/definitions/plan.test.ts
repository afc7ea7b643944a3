import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { definition } from '#testing/definitions.ts';
import { planStatus, terminatingStatus } from '#workloads/definitions/plan.ts';

const T1 = Date.parse('2026-01-01T00:00:00Z');
const T2 = Date.parse('2026-01-02T00:00:00Z');
const plan = (one: CustomResourceDefinition, group: readonly CustomResourceDefinition[] = [], nowMs = T1) =>
  planStatus({ definition: one, group, nowMs });
const shown = (status: ReturnType<typeof plan>) =>
  status.conditions?.map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
const withStatus = (one: CustomResourceDefinition, status: ReturnType<typeof plan>): CustomResourceDefinition => ({
  ...one,
  status,
});

test('free names establish a definition', () => {
  const status = plan(definition());
  assert.deepEqual(shown(status), ['NamesAccepted=True NoConflicts', 'Established=True InitialNamesAccepted']);
  assert.deepEqual(status.acceptedNames, { plural: 'widgets', kind: 'Widget' });
});

test('a conflict keeps it from being established; what was established stays so', () => {
  const first = withStatus(definition(), plan(definition()));
  const second = definition({ names: { plural: 'gadgets' } });
  assert.deepEqual(shown(plan(second, [first, second])), [
    'NamesAccepted=False KindConflict',
    'Established=False NotAccepted',
  ]);
  const renamed = { ...first, spec: { ...first.spec, names: { ...first.spec.names, shortNames: ['gd'] } } };
  const taker = withStatus(
    second,
    plan(definition({ names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['gd'] } })),
  );
  assert.deepEqual(shown(plan(renamed, [renamed, taker])), [
    'NamesAccepted=False ShortNamesConflict',
    'Established=True InitialNamesAccepted',
  ]);
});

test('planning again changes nothing, not even times', () => {
  const status = plan(definition());
  assert.deepEqual(plan(withStatus(definition(), status), [], T2), status);
});

test('Terminating takes its place among the conditions', () => {
  const established = withStatus(definition(), plan(definition()));
  const status = terminatingStatus(established, { status: 'True', reason: 'R', message: 'm' }, T2);
  assert.deepEqual(shown(status)?.at(-1), 'Terminating=True R');
  const later = terminatingStatus(withStatus(established, status), { status: 'True', reason: 'S', message: 'm' }, T1);
  assert.equal(later.conditions?.at(-1)?.lastTransitionTime, '2026-01-02T00:00:00Z');
});

const approvals: readonly (readonly [approval: string | undefined, condition: string])[] = [
  [undefined, 'False MissingAnnotation'],
  ['unapproved, an experiment', 'False UnapprovedAnnotation'],
  ['https://github.com/kubernetes/kubernetes/pull/1', 'True ApprovedAnnotation'],
  ['yes', 'False InvalidAnnotation'],
];

for (const [approval, condition] of approvals) {
  test(`a group of Kubernetes' own with approval ${approval}: ${condition}`, () => {
    const one = definition({ group: 'mine.k8s.io' });
    if (approval !== undefined) one.metadata.annotations = { 'api-approved.kubernetes.io': approval };
    assert.equal(shown(plan(one))?.at(-1), `KubernetesAPIApprovalPolicyConformant=${condition}`);
  });
}

test('other groups need no approval', () => {
  assert.equal(shown(plan(definition({ group: 'notk8s.io' })))?.length, 2);
});
