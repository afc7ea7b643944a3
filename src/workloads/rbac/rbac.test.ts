import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { typed } from '#kube/kind.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { type TestApi, startTestApi } from '#testing/api.ts';
import { aggregatedRules, inOrderOfNames } from '#workloads/rbac/aggregate.ts';
import { createRoleAggregation } from '#workloads/rbac/aggregation.ts';
import { bootstrapRoles } from '#workloads/rbac/bootstrap.ts';
import {
  AUTO_UPDATE_ANNOTATION,
  defaultClusterRoleBindings,
  defaultClusterRoles,
} from '#workloads/rbac/default-roles.ts';
import { planBinding, planRole } from '#workloads/rbac/plan.ts';

const may = (verb: string, resource: string): PolicyRule => ({ verbs: [verb], apiGroups: [''], resources: [resource] });

interface RoleParts {
  readonly rules?: PolicyRule[];
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  /** Labels of the roles that it is made of. */
  readonly gathers?: readonly Record<string, string>[];
}

function role(name: string, { rules, labels, annotations, gathers }: RoleParts): ClusterRole {
  const metadata = { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  const clusterRoleSelectors = (gathers ?? []).map((matchLabels) => ({ matchLabels }));
  return typed(ClusterRole, {
    metadata,
    ...(rules ? { rules } : {}),
    ...(gathers ? { aggregationRule: { clusterRoleSelectors } } : {}),
  });
}

const known = role('r', { rules: [may('get', 'pods'), may('list', 'secrets')], labels: { a: '1' } });

const planned: readonly [name: string, known: ClusterRole | undefined, wanted: ClusterRole, outcome: unknown][] = [
  ['is made where it is missing', undefined, known, { type: 'create', object: known }],
  ['is left alone where nothing is missing', known, role('r', { rules: [may('get', 'pods')] }), undefined],
  [
    'gets what is missing; what somebody added stays',
    known,
    role('r', { rules: [may('get', 'pods'), may('watch', 'pods')], labels: { a: '2', b: '3' } }),
    {
      type: 'update',
      object: role('r', { rules: [...(known.rules ?? []), may('watch', 'pods')], labels: { a: '1', b: '3' } }),
    },
  ],
  [
    'is left alone where somebody says so',
    role('r', { rules: [], annotations: { [AUTO_UPDATE_ANNOTATION]: 'false' } }),
    known,
    undefined,
  ],
  [
    'gathers what it should, too',
    role('r', { gathers: [{ x: '1' }], rules: [may('get', 'pods')] }),
    role('r', { gathers: [{ y: '1' }], rules: [may('list', 'pods')] }),
    { type: 'update', object: role('r', { gathers: [{ x: '1' }, { y: '1' }], rules: [may('get', 'pods')] }) },
  ],
  [
    'no longer gathers what it should hold by itself',
    role('r', { gathers: [{ x: '1' }] }),
    role('r', { rules: [may('get', 'pods')] }),
    { type: 'update', object: role('r', { rules: [may('get', 'pods')] }) },
  ],
];

for (const [name, before, wanted, outcome] of planned) {
  test(`a default role ${name}`, () => assert.deepEqual(planRole(before, wanted), outcome));
}

function binding(name: string, to: string, users: readonly string[]): ClusterRoleBinding {
  return typed(ClusterRoleBinding, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: to },
    subjects: users.map((user) => ({ kind: 'User', name: user })),
  });
}

test('a default binding keeps who was added, and gets who is missing', () => {
  const object = binding('b', 'r', ['added', 'wanted']);
  assert.deepEqual(planBinding(binding('b', 'r', ['added']), binding('b', 'r', ['wanted'])), {
    type: 'update',
    object,
  });
  assert.equal(planBinding(object, binding('b', 'r', ['wanted'])), undefined);
});

test('a default binding to another role is made anew', () => {
  const object = binding('b', 'r', ['wanted']);
  assert.deepEqual(planBinding(binding('b', 'other', ['wanted']), object), { type: 'replace', object });
});

const gathered: readonly [name: string, roles: readonly ClusterRole[], rules: readonly PolicyRule[]][] = [
  [
    'by selectors, then by names, each rule once',
    [
      role('top', { gathers: [{ y: '1' }, { x: '1' }] }),
      role('b', { labels: { x: '1' }, rules: [may('get', 'b'), may('get', 'both')] }),
      role('a', { labels: { x: '1' }, rules: [may('get', 'a')] }),
      role('c', { labels: { y: '1' }, rules: [may('get', 'both')] }),
      role('d', { labels: { z: '1' }, rules: [may('get', 'd')] }),
    ],
    [may('get', 'both'), may('get', 'a'), may('get', 'b')],
  ],
  [
    'through roles that gather themselves, whatever they hold at the moment',
    [
      role('top', { gathers: [{ x: '1' }] }),
      role('middle', { labels: { x: '1' }, gathers: [{ y: '1' }], rules: [may('get', 'stale')] }),
      role('leaf', { labels: { y: '1' }, rules: [may('get', 'leaf')] }),
    ],
    [may('get', 'leaf')],
  ],
  [
    'in a circle',
    [
      role('top', { labels: { all: '1' }, gathers: [{ all: '1' }], rules: [may('get', 'stale')] }),
      role('other', { labels: { all: '1' }, gathers: [{ all: '1' }] }),
      role('leaf', { labels: { all: '1' }, rules: [may('get', 'leaf')] }),
    ],
    [may('get', 'leaf')],
  ],
  ['by nothing', [role('top', { gathers: [] }), role('leaf', { rules: [may('get', 'leaf')] })], []],
];

for (const [name, roles, rules] of gathered) {
  test(`rules are gathered ${name}`, () => {
    const [top] = roles;
    assert(top);
    assert.deepEqual(aggregatedRules(top, inOrderOfNames(roles)), rules);
  });
}

async function startAggregation(api: TestApi) {
  const { caches, client, clock, logger, metrics } = api;
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const controller = createRoleAggregation({ caches, client, clock, logger, metrics, eventsOf });
  await caches.start();
  controller.start();
  await api.settled(controller);
  return controller;
}

test('a start writes every default once, and the next one nothing', async () => {
  await using api = await startTestApi();
  await bootstrapRoles(api.client, 'v1');
  const { items } = await api.client.list(ClusterRole);
  assert.ok(items.some(({ metadata }) => metadata.name === 'knative-serving-core'));
  for (const { metadata } of defaultClusterRoles()) assert.ok(items.some((one) => one.metadata.name === metadata.name));
  const bindings = await api.client.list(ClusterRoleBinding);
  assert.equal(bindings.items.length, defaultClusterRoleBindings().length);
  const admin = items.find(({ metadata }) => metadata.name === 'admin');
  const groups = new Set((admin?.rules ?? []).flatMap(({ apiGroups }) => apiGroups ?? []));
  assert.ok(groups.has('serving.knative.dev') && groups.has('apps') && groups.has('rbac.authorization.k8s.io'));
  const { revision } = api.store;
  await bootstrapRoles(api.client, 'v1');
  await using _ = await startAggregation(api);
  assert.equal(api.store.revision, revision);
});

test('a role follows those that it is made of, also in circles, and comes to rest', async () => {
  await using api = await startTestApi();
  const { client } = api;
  for (const name of ['a', 'b', 'c', 'd']) {
    const rules = [may('get', name)];
    await client.create(ClusterRole, role(name, { labels: { all: '1' }, gathers: [{ all: '1' }], rules }));
  }
  await using controller = await startAggregation(api);
  await client.create(ClusterRole, role('leaf', { labels: { all: '1' }, rules: [may('get', 'leaf')] }));
  await api.settled(controller);
  for (const name of ['a', 'b', 'c', 'd']) {
    assert.deepEqual((await client.get(ClusterRole, { name })).rules, [may('get', 'leaf')]);
  }
  const { revision } = api.store;
  await api.settled(controller);
  assert.equal(api.store.revision, revision);
  await client.delete(ClusterRole, { name: 'leaf' });
  await api.settled(controller);
  assert.equal((await client.get(ClusterRole, { name: 'a' })).rules, null);
});
