import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { KubeObject, ObjectMeta, Stored } from '#kube/object.ts';
import type { GraphNode } from '#workloads/garbage-collector/graph.ts';
import { type OwnerState, planCollection } from '#workloads/garbage-collector/plan.ts';

const object = (name: string, metadata: Partial<ObjectMeta> = {}): Stored<KubeObject> =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'a', uid: name, ...metadata },
  }) as Stored<KubeObject>;
const owner = (uid: string, blocks = false) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion: blocks,
});
const node = (one: Stored<KubeObject>): GraphNode => ({ kind: ConfigMap, object: one });
const plan = (one: KubeObject, states: Record<string, OwnerState> = {}, dependents: GraphNode[] = []) =>
  planCollection({ object: one, dependents, stateOf: ({ uid }) => states[uid] ?? 'living' });

const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

test('no owner, or a living one: nothing to do', () => {
  assert.deepEqual(plan(object('x')), []);
  assert.deepEqual(plan(object('x', { ownerReferences: [owner('o')] })), []);
});

test('all owners gone: it goes in the background', () => {
  assert.deepEqual(plan(object('x', { ownerReferences: [owner('o'), owner('p')] }), { o: 'gone', p: 'gone' }), [
    { type: 'delete', policy: 'Background' },
  ]);
});

test('one owner gone, one living: the reference is struck', () => {
  assert.deepEqual(plan(object('x', { ownerReferences: [owner('o'), owner('p')] }), { o: 'gone' }), [
    { type: 'strike-owners', uids: ['o'] },
  ]);
});

test('an owner that waits in the foreground takes a dependent with dependents of its own in the foreground too', () => {
  const x = object('x', { ownerReferences: [owner('o', true)] });
  assert.deepEqual(plan(x, { o: 'waiting' }), [{ type: 'delete', policy: 'Background' }]);
  assert.deepEqual(plan(x, { o: 'waiting' }, [node(object('y'))]), [{ type: 'delete', policy: 'Foreground' }]);
});

test('a foreground deletion ends when no dependent blocks it', () => {
  const x = object('x', { ...deleting, finalizers: ['foregroundDeletion'] });
  assert.deepEqual(plan(x, {}, [node(object('y', { ownerReferences: [owner('x', true)] }))]), []);
  const done = [{ type: 'drop-finalizer', finalizer: 'foregroundDeletion' }];
  assert.deepEqual(plan(x, {}, [node(object('y', { ownerReferences: [owner('x')] }))]), done);
  assert.deepEqual(plan(x), done);
});

test('an orphaning deletion frees every dependent before it ends', () => {
  const x = object('x', { ...deleting, finalizers: ['orphan'] });
  const y = node(object('y', { ownerReferences: [owner('x')] }));
  assert.deepEqual(plan(x, {}, [y]), [{ type: 'strike-from', dependent: y }]);
  assert.deepEqual(plan(x), [{ type: 'drop-finalizer', finalizer: 'orphan' }]);
});
