import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployment, replicaSet } from '#testing/objects.ts';
import { boundsOf, newReplicas, recreateStep, rollingStep } from '#workloads/deployment/rolling.ts';

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } },
});

const bounds: [string, number, ReturnType<typeof rolling>, { maxSurge: number; maxUnavailable: number }][] = [
  ['percentages: surge up, unavailable down', 10, rolling('25%', '25%'), { maxSurge: 3, maxUnavailable: 2 }],
  ['both zero: one may be missing', 1, rolling('0%', '25%'), { maxSurge: 0, maxUnavailable: 1 }],
  ['numbers as they are', 5, rolling(2, 0), { maxSurge: 2, maxUnavailable: 0 }],
  ['never more missing than wanted', 2, rolling(0, 5), { maxSurge: 0, maxUnavailable: 2 }],
];
for (const [name, replicas, spec, expected] of bounds) {
  test(`bounds: ${name}`, () => assert.deepEqual(boundsOf(deployment(replicas, spec)), { replicas, ...expected }));
}

test('a new ReplicaSet starts with what surge allows', () => {
  const d = deployment(4, rolling(1, 0));
  assert.equal(newReplicas(d, undefined, []), 4);
  assert.equal(newReplicas(d, undefined, [replicaSet('old', 4)]), 1);
  assert.equal(newReplicas(d, undefined, [replicaSet('old', 5)]), 0);
});

test('with surge 1 and none missing, old pods go one by one as new ones become available', () => {
  const d = deployment(2, rolling(1, 0));
  assert.deepEqual([...rollingStep(d, replicaSet('new', 1, { available: 0 }), [replicaSet('old', 2)])], []);
  assert.deepEqual([...rollingStep(d, replicaSet('new', 1), [replicaSet('old', 2)])], [['old', 1]]);
  assert.deepEqual([...rollingStep(d, replicaSet('new', 1), [replicaSet('old', 1)])], [['new', 2]]);
  assert.deepEqual([...rollingStep(d, replicaSet('new', 2), [replicaSet('old', 1)])], [['old', 0]]);
  assert.deepEqual([...rollingStep(d, replicaSet('new', 2), [replicaSet('old', 0)])], []);
});

test('old pods that are not available go at once, the oldest set first', () => {
  const d = deployment(3, rolling(1, 0));
  const old = [
    replicaSet('young', 2, { available: 2, createdAt: 2_000 }),
    replicaSet('aged', 1, { available: 0, createdAt: 1_000 }),
  ];
  assert.deepEqual([...rollingStep(d, replicaSet('new', 1), old)], [['aged', 0]]);
});

test('recreate: first the old ones to zero, then, once their pods are gone, the new ones', () => {
  const d = deployment(2, { strategy: { type: 'Recreate' } });
  const current = replicaSet('new', 0);
  assert.deepEqual([...recreateStep(d, current, [replicaSet('old', 2)], true)], [['old', 0]]);
  assert.deepEqual([...recreateStep(d, current, [replicaSet('old', 0)], true)], []);
  assert.deepEqual([...recreateStep(d, current, [replicaSet('old', 0)], false)], [['new', 2]]);
});
