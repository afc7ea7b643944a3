import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '#kube/kinds/core/node.ts';
import { pod } from '#testing/objects.ts';
import { planAssignment, podRequest } from '#workloads/scheduler/plan.ts';

const node = (allocatable: Record<string, string>, more: Partial<Node> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'here', labels: { zone: 'a' } },
  spec: {},
  status: { allocatable },
  ...more,
});

test('a pod without requests goes to the node', () => {
  assert.deepEqual(planAssignment(pod({ name: 'p' }), [node({ cpu: '2', memory: '1Gi', pods: '110' })], []), {
    nodeName: 'here',
  });
});

test('requests are counted against what other pods asked for', () => {
  const others = [pod({ name: 'o', node: 'here', requests: { cpu: '1500m', memory: '100Mi' } })];
  const asks = (requests: Record<string, string>) =>
    planAssignment(pod({ name: 'p', requests }), [node({ cpu: '2', memory: '1Gi', pods: '110' })], others);
  assert.deepEqual(asks({ cpu: '500m' }), { nodeName: 'here' });
  assert.deepEqual(asks({ cpu: '501m' }), {
    nodeName: undefined,
    message: '0/1 nodes are available: 1 Insufficient cpu.',
  });
  assert.deepEqual(asks({ cpu: '1', memory: '2Gi' }), {
    nodeName: undefined,
    message: '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
  });
});

test('the number of pods, the selector and an unschedulable node count too', () => {
  const refused = (one: Node, p = pod({ name: 'p' })) =>
    (planAssignment(p, [one], [pod({ name: 'o', node: 'here' })]) as { message: string }).message;
  assert.equal(refused(node({ pods: '1' })), '0/1 nodes are available: 1 Too many pods.');
  assert.equal(
    refused(node({ pods: '9' }, { spec: { unschedulable: true } })),
    '0/1 nodes are available: 1 node(s) were unschedulable.',
  );
  const picky = pod({ name: 'p' });
  picky.spec.nodeSelector = { zone: 'b' };
  assert.equal(
    refused(node({ pods: '9' }), picky),
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  );
  assert.deepEqual(planAssignment(pod({ name: 'p' }), [], []), {
    nodeName: undefined,
    message: 'no nodes available to schedule pods',
  });
});

test('init containers run alone: the largest counts when it is larger than all others together', () => {
  const p = pod({ name: 'p', requests: { cpu: '100m' } });
  p.spec.initContainers = [{ name: 'i', image: 'x', resources: { requests: { cpu: '1' } } }];
  assert.equal(podRequest(p, 'cpu'), 1);
});
