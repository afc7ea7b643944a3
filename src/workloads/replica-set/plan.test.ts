import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod, type PodShape, replicaSet } from '#testing/objects.ts';
import { planReplicas, replicaSetStatus } from '#workloads/replica-set/plan.ts';

const T = Date.UTC(2026, 0, 1);
const running = (name: string, more: Partial<PodShape> = {}) => pod({ name, node: 'n', readySince: T, ...more });

test('missing pods are made, and only so many', () => {
  assert.deepEqual(planReplicas(replicaSet('r', 3), [running('a')]), { create: 2, remove: [] });
});

test('pods that ended or are ending do not count', () => {
  const pods = [running('a', { phase: 'Failed' }), running('b', { isEnding: true }), running('c')];
  assert.equal(planReplicas(replicaSet('r', 2), pods).create, 1);
});

const order: [name: string, goes: Partial<PodShape>, stays: Partial<PodShape>][] = [
  ['not assigned before assigned', { node: undefined as unknown as string }, {}],
  ['pending before running', { phase: 'Pending' }, {}],
  ['not ready before ready', { readySince: undefined as unknown as number }, {}],
  ['lower deletion cost first', { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } }, {}],
  ['ready for a shorter time first', { readySince: T + 5_000 }, { readySince: T }],
  ['more restarts first', { restarts: 3 }, { restarts: 1 }],
  ['younger first', { createdAt: T + 5_000 }, { createdAt: T }],
];
for (const [name, goes, stays] of order) {
  test(`removal: ${name}`, () => {
    for (const pods of [
      [running('goes', goes), running('stays', stays)],
      [running('stays', stays), running('goes', goes)],
    ]) {
      assert.deepEqual(
        planReplicas(replicaSet('r', 1), pods).remove.map((one) => one.metadata.name),
        ['goes'],
      );
    }
  });
}

test('status counts active, labelled, ready and available pods, and leaves zeros out', () => {
  const set = { ...replicaSet('r', 3), spec: { ...replicaSet('r', 3).spec, minReadySeconds: 10 } };
  const pods = [
    running('old', { labels: { app: 'x' }, readySince: T - 20_000 }),
    running('fresh', { labels: { app: 'x' }, readySince: T - 1_000 }),
    running('foreign', { readySince: undefined as unknown as number }),
  ];
  assert.deepEqual(replicaSetStatus(set, pods, { nowMs: T }), {
    replicas: 3,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 1,
    observedGeneration: 1,
  });
  assert.deepEqual(replicaSetStatus(set, [], { nowMs: T }), { replicas: 0, observedGeneration: 1 });
});

test('a failure shows as ReplicaFailure, as it was first told', () => {
  const failure = { reason: 'FailedCreate', message: 'no' };
  const set = replicaSet('r', 1);
  const first = replicaSetStatus(set, [], { nowMs: T, failure });
  const other = { ...failure, message: 'no, and of another pod' };
  const second = replicaSetStatus({ ...set, status: first }, [], { nowMs: T + 60_000, failure: other });
  assert.deepEqual(second.conditions, first.conditions);
  assert.equal(first.conditions?.[0]?.type, 'ReplicaFailure');
});
