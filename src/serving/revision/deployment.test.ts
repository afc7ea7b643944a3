/** When a Deployment is written again, and what others keep in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { desiredDeployment, updatedDeployment } from '#serving/revision/deployment.ts';
import { configOf, type ConfigMaps, revision, type Shape, stored } from '#testing/knative-objects.ts';

const HASH = 'serving.knative.dev/deployment-hash';

function desired(shape: Shape = {}, maps: ConfigMaps = {}): Deployment {
  return desiredDeployment(revision('a-1', shape), configOf(maps));
}

function hashOf({ metadata }: Deployment): string {
  return metadata.labels?.[HASH] ?? '';
}

test('a Deployment that one Revision owns and no other can select', () => {
  const labels = { 'serving.knative.dev/configuration': 'a', 'serving.knative.dev/routingState': 'active', team: 'x' };
  const annotations = {
    'serving.knative.dev/routes': 'a',
    'serving.knative.dev/routingStateModified': 't',
    'serving.knative.dev/creator': 'me',
  };
  const { metadata, spec } = desired({ meta: { labels, annotations } });
  const handedDown = {
    'serving.knative.dev/configuration': 'a',
    team: 'x',
    'serving.knative.dev/revision': 'a-1',
    'serving.knative.dev/revisionUID': 'uid-of-Revision-a-1',
    app: 'a-1',
  };
  assert.deepEqual(metadata, {
    name: 'a-1-deployment',
    namespace: 'default',
    labels: { ...handedDown, [HASH]: metadata.labels?.[HASH] },
    annotations: { 'serving.knative.dev/creator': 'me' },
    ownerReferences: [controllerRefTo(revision('a-1'))],
  });
  assert.match(metadata.labels?.[HASH] ?? '', /^[0-9a-z]{1,7}$/);
  assert.deepEqual(
    { ...spec, template: spec.template.metadata },
    {
      replicas: 1,
      selector: { matchLabels: { 'serving.knative.dev/revisionUID': 'uid-of-Revision-a-1' } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 0,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
      template: {
        labels: handedDown,
        annotations: {
          'serving.knative.dev/creator': 'me',
          'kubectl.kubernetes.io/default-container': 'user-container',
        },
      },
    },
  );
});

const annotated = (annotations: Record<string, string>): Shape => ({ meta: { annotations } });

const NUMBERS: readonly [string, Shape, ConfigMaps, number, number][] = [
  ['as configured', {}, { 'config-autoscaler': { 'initial-scale': '3' } }, 3, 600],
  [
    'as annotated',
    annotated({
      'autoscaling.knative.dev/initial-scale': '0',
      'serving.knative.dev/progress-deadline': '90s',
    }),
    { 'config-deployment': { 'progress-deadline': '5m' } },
    0,
    90,
  ],
  ['with the deadline configured', {}, { 'config-deployment': { 'progress-deadline': '5m' } }, 1, 300],
];

for (const [what, shape, maps, replicas, deadline] of NUMBERS) {
  test(`initial scale and deadline ${what}`, () => {
    const { spec } = desired(shape, maps);
    assert.deepEqual([spec.replicas, spec.progressDeadlineSeconds], [replicas, deadline]);
  });
}

const base = desired();

const SAME: readonly [string, Deployment][] = [
  ['another initial scale', desired({}, { 'config-autoscaler': { 'initial-scale': '3' } })],
  ['settings of the autoscaler', desired(annotated({ 'autoscaling.knative.dev/min-scale': '1' }))],
  ['another Route that leads to it', desired({ meta: { labels: { 'serving.knative.dev/routingState': 'reserve' } } })],
];

for (const [what, other] of SAME) {
  test(`${what}: no new pods`, () => assert.equal(hashOf(other), hashOf(base)));
}

const OTHER: readonly [string, Deployment][] = [
  [
    'another image',
    desired({ spec: { containers: [{ name: 'user-container', image: 'dev.local/b', resources: {} }] } }),
  ],
  ['another deadline', desired({}, { 'config-deployment': { 'progress-deadline': '5m' } })],
  ['another label', desired({ meta: { labels: { x: 'y' } } })],
  ['another annotation', desired(annotated({ x: 'y' }))],
];

for (const [what, other] of OTHER) {
  test(`${what}: written again`, () => assert.notEqual(hashOf(other), hashOf(base)));
}

/** As it is after a while: scaled, restarted by hand, and labelled by others. */
const existing = stored(
  Deployment,
  'a-1-deployment',
  {
    spec: {
      ...base.spec,
      replicas: 7,
      template: {
        ...base.spec.template,
        metadata: {
          ...base.spec.template.metadata,
          annotations: {
            ...base.spec.template.metadata?.annotations,
            'kubectl.kubernetes.io/restartedAt': 'then',
            'serving.knative.dev/creator': 'gone',
          },
        },
      },
    },
    status: { readyReplicas: 7 },
  },
  { ...base.metadata, labels: { ...base.metadata.labels, team: 'kept' } },
);

test('what is wanted is there: nothing to write', () => assert.equal(updatedDeployment(existing, base), undefined));

test('written again, it keeps its scale, its selector, and what is not Knative’s', () => {
  const wanted = desired({}, { 'config-deployment': { 'progress-deadline': '5m' } });
  const changed = updatedDeployment(existing, wanted) ?? assert.fail('unchanged');
  assert.equal(changed.spec.replicas, 7);
  assert.equal(changed.spec.progressDeadlineSeconds, 300);
  assert.equal(changed.metadata.labels?.['team'], 'kept');
  assert.equal(hashOf(changed), hashOf(wanted));
  assert.deepEqual(changed.spec.template.metadata?.annotations, {
    'kubectl.kubernetes.io/restartedAt': 'then',
    'kubectl.kubernetes.io/default-container': 'user-container',
  });
  assert.equal(changed.metadata.uid, existing.metadata.uid);
  assert.deepEqual(changed.status, existing.status);
});
