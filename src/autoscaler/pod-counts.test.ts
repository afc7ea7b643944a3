import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPods, podState } from '#autoscaler/pod-counts.ts';
import { pod, type PodShape } from '#testing/objects.ts';

const rows: { name: string; shape: Partial<PodShape>; state: string }[] = [
  { name: 'pending', shape: { phase: 'Pending' }, state: 'pending' },
  { name: 'pending and ending', shape: { phase: 'Pending', isEnding: true }, state: 'pending' },
  { name: 'running', shape: {}, state: 'not-ready' },
  { name: 'ready', shape: { readySince: 1 }, state: 'ready' },
  { name: 'ready, but ending', shape: { readySince: 1, isEnding: true }, state: 'terminating' },
  { name: 'failed', shape: { phase: 'Failed', readySince: 1 }, state: 'ended' },
  { name: 'succeeded', shape: { phase: 'Succeeded' }, state: 'ended' },
];

for (const { name, shape, state } of rows) {
  test(name, () => assert.equal(podState(pod({ name: 'p', ...shape })), state));
}

test('counts', () => {
  const pods = rows.map(({ name, shape }) => pod({ name, ...shape }));
  assert.deepEqual(countPods(pods), { ready: 1, notReady: 4, pending: 2, terminating: 1 });
});
