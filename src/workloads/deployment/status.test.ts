import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import { deployment, replicaSet } from '#testing/objects.ts';
import { deploymentStatus, progressCheckMs } from '#workloads/deployment/status.ts';

const T = Date.UTC(2026, 0, 1);

function condition(d: Deployment, type: string): [string | undefined, string | undefined, string | undefined] {
  const found = d.status?.conditions?.find((one) => one.type === type);
  return [found?.status, found?.reason, found?.message];
}

/** Runs the status forward from a fresh Deployment. */
function after(
  start: Deployment,
  steps: readonly { current: ReturnType<typeof replicaSet>; atMs: number; news?: 'created' }[],
): Deployment {
  let d = start;
  for (const { current, atMs, news } of steps) {
    d = { ...d, status: deploymentStatus({ deployment: d, current, old: [], nowMs: atMs, news }) };
  }
  return d;
}

const empty = { ...replicaSet('d-1', 1), status: { replicas: 0 } } as ReturnType<typeof replicaSet>;
const started = replicaSet('d-1', 1, { available: 0 });
const ready = replicaSet('d-1', 1);

test('a rollout goes from created over progressing to complete', () => {
  const created = after(deployment(1), [{ current: empty, atMs: T, news: 'created' }]);
  assert.deepEqual(condition(created, 'Progressing'), [
    'True',
    'NewReplicaSetCreated',
    'Created new replica set "d-1"',
  ]);
  assert.deepEqual(condition(created, 'Available'), [
    'False',
    'MinimumReplicasUnavailable',
    'Deployment does not have minimum availability.',
  ]);
  const moving = after(created, [{ current: started, atMs: T + 1_000 }]);
  assert.deepEqual(condition(moving, 'Progressing'), ['True', 'ReplicaSetUpdated', 'ReplicaSet "d-1" is progressing.']);
  const done = after(moving, [{ current: ready, atMs: T + 2_000 }]);
  assert.deepEqual(condition(done, 'Progressing'), [
    'True',
    'NewReplicaSetAvailable',
    'ReplicaSet "d-1" has successfully progressed.',
  ]);
  assert.deepEqual(condition(done, 'Available'), [
    'True',
    'MinimumReplicasAvailable',
    'Deployment has minimum availability.',
  ]);
});

test('a new set whose pods are there by the time that the status is written is progressing', () => {
  const quick = after(deployment(1), [{ current: started, atMs: T, news: 'created' }]);
  assert.deepEqual(condition(quick, 'Progressing'), ['True', 'ReplicaSetUpdated', 'ReplicaSet "d-1" is progressing.']);
});

test('no progress for the deadline counts as failed, and says so once', () => {
  const spec = { progressDeadlineSeconds: 10 };
  const moving = after(deployment(1, spec), [
    { current: empty, atMs: T, news: 'created' },
    { current: started, atMs: T + 1_000 },
  ]);
  assert.equal(progressCheckMs(moving, T + 2_000), 10_000);
  assert.equal(
    condition(after(moving, [{ current: started, atMs: T + 10_000 }]), 'Progressing')[1],
    'ReplicaSetUpdated',
  );
  const late = after(moving, [{ current: started, atMs: T + 12_000 }]);
  assert.deepEqual(condition(late, 'Progressing'), [
    'False',
    'ProgressDeadlineExceeded',
    'ReplicaSet "d-1" has timed out progressing.',
  ]);
  assert.equal(progressCheckMs(late, T + 13_000), undefined);
});

test('scaling a finished rollout to zero and back never fails its deadline', () => {
  const done = after(deployment(1, { progressDeadlineSeconds: 10 }), [
    { current: empty, atMs: T, news: 'created' },
    { current: ready, atMs: T + 1_000 },
  ]);
  const zero = after({ ...done, spec: { ...done.spec, replicas: 0 } }, [
    { current: replicaSet('d-1', 0), atMs: T + 60_000 },
  ]);
  assert.equal(condition(zero, 'Progressing')[1], 'NewReplicaSetAvailable');
  assert.equal(condition(zero, 'Available')[0], 'True');
  const again = after({ ...zero, spec: { ...zero.spec, replicas: 1 } }, [{ current: started, atMs: T + 120_000 }]);
  assert.equal(condition(again, 'Progressing')[1], 'NewReplicaSetAvailable');
});

test('a ReplicaSet that cannot make pods shows as ReplicaFailure, and no longer once it can', () => {
  const failing = {
    ...started,
    status: {
      replicas: 0,
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'forbidden' }],
    },
  };
  const d = after(deployment(1), [{ current: failing, atMs: T, news: 'created' }]);
  assert.deepEqual(condition(d, 'ReplicaFailure'), ['True', 'FailedCreate', 'forbidden']);
  assert.deepEqual(condition(after(d, [{ current: ready, atMs: T + 1_000 }]), 'ReplicaFailure'), [
    undefined,
    undefined,
    undefined,
  ]);
});

test('unchanged input gives the very same status', () => {
  const done = after(deployment(1), [{ current: ready, atMs: T, news: 'created' }]);
  assert.deepEqual(after(done, [{ current: ready, atMs: T + 60_000 }]).status, done.status);
});
