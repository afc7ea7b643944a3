/** The PodAutoscaler of a Revision: who can reach it, and whose its settings are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerRefTo } from '#kube/owner.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { desiredPodAutoscaler, updatedPodAutoscaler } from '#serving/revision/pod-autoscaler.ts';
import { configOf, revision, type Shape, stored } from '#testing/knative-objects.ts';

const CLASS = 'autoscaling.knative.dev/class';
const METRIC = 'autoscaling.knative.dev/metric';
const MIN = 'autoscaling.knative.dev/min-scale';
const STATE = 'serving.knative.dev/routingState';
const { autoscaler } = configOf();

const desired = (shape: Shape = {}) =>
  desiredPodAutoscaler({ revision: revision('a-1', shape), hasFailed: false, autoscaler });

test('named as the Revision, with its settings and the class that applies', () => {
  assert.deepEqual(desired({ meta: { annotations: { [MIN]: '1', 'serving.knative.dev/routes': 'a' } } }).metadata, {
    name: 'a-1',
    namespace: 'default',
    labels: {
      'serving.knative.dev/revision': 'a-1',
      'serving.knative.dev/revisionUID': 'uid-of-Revision-a-1',
      app: 'a-1',
    },
    annotations: { [CLASS]: 'kpa.autoscaling.knative.dev', [MIN]: '1' },
    ownerReferences: [controllerRefTo(revision('a-1'))],
  });
});

const SPECS: readonly [string, object, { protocol: string; concurrency?: number }][] = [
  ['http', {}, { protocol: 'http1' }],
  ['no limit', { containerConcurrency: 0 }, { protocol: 'http1' }],
  ['a limit', { containerConcurrency: 7 }, { protocol: 'http1', concurrency: 7 }],
  ['h2c', { containers: [{ image: 'a', ports: [{ name: 'h2c', containerPort: 1 }] }] }, { protocol: 'h2c' }],
];

for (const [what, spec, { protocol, concurrency }] of SPECS) {
  test(`spec with ${what}`, () => {
    assert.deepEqual(desired({ spec }).spec, {
      containerConcurrency: concurrency,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-1-deployment' },
      protocolType: protocol,
      reachability: undefined,
    });
  });
}

for (const [state, reachability] of [
  ['active', 'Reachable'],
  ['reserve', 'Unreachable'],
  ['pending', undefined],
] as const) {
  test(`reachability of a Revision that is ${state}`, () => {
    assert.equal(desired({ meta: { labels: { [STATE]: state } } }).spec.reachability, reachability);
  });
}

function synced(before: Record<string, string>, now: Record<string, string>): Record<string, string> | undefined {
  const { metadata, spec } = desired();
  const existing = stored(PodAutoscaler, 'a-1', { spec }, { ...metadata, annotations: before });
  const owner = revision('a-1', { meta: { annotations: now } });
  return updatedPodAutoscaler(existing, desired(), owner)?.metadata.annotations;
}

const KPA = { [CLASS]: 'kpa', [METRIC]: 'concurrency' };
const SETTINGS: readonly [
  string,
  Record<string, string>,
  Record<string, string>,
  Record<string, string> | undefined,
][] = [
  ['what admission filled in stays', KPA, {}, undefined],
  ['a new setting', KPA, { [MIN]: '1' }, { ...KPA, [MIN]: '1' }],
  ['a changed setting', { ...KPA, [MIN]: '1' }, { [MIN]: '2' }, { ...KPA, [MIN]: '2' }],
  ['a setting that is gone', { ...KPA, [MIN]: '1' }, {}, KPA],
  ['another class', KPA, { [CLASS]: 'hpa' }, { ...KPA, [CLASS]: 'hpa' }],
  ['what others wrote stays', { ...KPA, team: 'x' }, {}, undefined],
];

for (const [what, before, now, expected] of SETTINGS) {
  test(`settings: ${what}`, () => assert.deepEqual(synced(before, now), expected));
}
