/** A Deployment of another size: what its ReplicaSets become. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { deployment, replicaSet } from '#testing/objects.ts';
import { DESIRED_REPLICAS, isResized, MAX_REPLICAS, resizedSizes } from '#workloads/deployment/scaling.ts';

const rolling = (maxSurge: number, maxUnavailable = 0) => ({
  strategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } },
});

interface Made {
  /** The Deployment's size that it was made for, and with surge. */
  readonly desired: number;
  readonly max: number;
  readonly available?: number;
  readonly createdAt?: number;
}

const set = (name: string, size: number, { desired, max, ...shape }: Made) =>
  replicaSet(name, size, {
    ...shape,
    annotations: { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) },
  });

describe('a Deployment was resized', () => {
  const rows: { name: string; replicas: number; sets: ReplicaSet[]; resized: boolean }[] = [
    { name: 'not: made for this size', replicas: 2, sets: [set('a', 2, { desired: 2, max: 3 })], resized: false },
    { name: 'made for another one', replicas: 3, sets: [set('a', 2, { desired: 2, max: 3 })], resized: true },
    {
      name: 'not: what has no pods says nothing',
      replicas: 3,
      sets: [set('a', 0, { desired: 2, max: 3 })],
      resized: false,
    },
    { name: 'not: nothing is noted', replicas: 3, sets: [replicaSet('a', 2)], resized: false },
    {
      name: 'one of several',
      replicas: 2,
      sets: [set('a', 1, { desired: 1, max: 2 }), set('b', 1, { desired: 2, max: 3 })],
      resized: true,
    },
  ];
  for (const { name, replicas, sets, resized } of rows) {
    test(name, () => assert.equal(isResized(deployment(replicas), sets), resized));
  }
});

describe('sizes after it', () => {
  const before = { desired: 10, max: 12 };
  const rows: {
    name: string;
    of: ReturnType<typeof deployment>;
    current?: ReplicaSet;
    old?: ReplicaSet[];
    sizes: Record<string, number>;
  }[] = [
    { name: 'the only one', of: deployment(5), current: set('new', 2, { desired: 2, max: 3 }), sizes: { new: 5 } },
    {
      name: 'the only one with pods, though the template is a newer one already',
      of: deployment(2, rolling(1)),
      old: [set('old', 1, { desired: 1, max: 2 })],
      sizes: { old: 2 },
    },
    {
      name: 'none has pods: the newest',
      of: deployment(3),
      current: set('new', 0, { desired: 0, max: 0 }),
      old: [set('old', 0, { desired: 2, max: 3 })],
      sizes: { new: 3 },
    },
    { name: 'there is none', of: deployment(3), sizes: {} },
    {
      name: 'the new one is all that is wanted: the old ones go',
      of: deployment(2, rolling(1)),
      current: set('new', 2, { desired: 2, max: 3 }),
      old: [set('old', 1, { desired: 1, max: 2 })],
      sizes: { old: 0, new: 2 },
    },
    {
      name: 'it is not all available yet: everything stays, and notes the size',
      of: deployment(2, rolling(1)),
      current: set('new', 2, { desired: 2, max: 3, available: 1 }),
      old: [set('old', 1, { desired: 1, max: 2 })],
      sizes: { old: 1, new: 2 },
    },
    {
      name: 'larger: everyone grows by its share',
      of: deployment(20, rolling(4)),
      current: set('new', 4, before),
      old: [set('old', 8, before)],
      sizes: { new: 8, old: 16 },
    },
    {
      name: 'what rounding leaves over is for the largest',
      of: deployment(15, rolling(2)),
      current: set('new', 1, { ...before, createdAt: 2_000 }),
      old: [set('old', 11, before)],
      sizes: { new: 1, old: 16 },
    },
    {
      name: 'of equals, the newest grows first',
      of: deployment(11, rolling(2)),
      current: set('new', 6, { ...before, createdAt: 2_000 }),
      old: [set('old', 6, before)],
      sizes: { new: 7, old: 6 },
    },
    {
      name: 'of equals, the oldest shrinks first',
      of: deployment(9, rolling(2)),
      current: set('new', 6, { ...before, createdAt: 2_000 }),
      old: [set('old', 6, before)],
      sizes: { new: 6, old: 5 },
    },
    {
      name: 'to nothing',
      of: deployment(0, rolling(1)),
      current: set('new', 1, before),
      old: [set('old', 3, before)],
      sizes: { new: 0, old: 0 },
    },
    {
      name: 'recreate: nobody shares',
      of: deployment(4, { strategy: { type: 'Recreate' } }),
      current: set('new', 1, { desired: 2, max: 2, available: 0 }),
      old: [set('old', 1, { desired: 2, max: 2 })],
      sizes: { new: 1, old: 1 },
    },
  ];
  for (const { name, of, current, old = [], sizes } of rows) {
    test(name, () => assert.deepEqual(Object.fromEntries(resizedSizes(of, current, old)), sizes));
  }
});
