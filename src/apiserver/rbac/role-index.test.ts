/** The authorizer with its index against a slow and obvious one, which looks through everything for every request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLogger } from '#base/log.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { Role } from '#kube/kinds/rbac/role.ts';
import { RoleBinding } from '#kube/kinds/rbac/role-binding.ts';
import type { PolicyRule, Subject } from '#kube/kinds/rbac/rules.ts';
import { type Kind, resourceOf, typed } from '#kube/kind.ts';
import type { KubeObject, ObjectRef } from '#kube/object.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { Store } from '#store/store.ts';
import type { Attributes } from '#apiserver/authorize.ts';
import { createRights } from '#apiserver/rbac/rights.ts';
import { RoleIndex } from '#apiserver/rbac/role-index.ts';
import type { User } from '#apiserver/user.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const RUNS = 1_000;
const NAMESPACES = ['a', 'b'];
const NAMES = ['x', 'y'];

const someOf = (...values: string[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });
const resourceRules = fc.record<PolicyRule>({
  verbs: someOf('get', 'list'),
  apiGroups: someOf('', 'apps', '*'),
  resources: someOf('pods', 'pods/log', '*/log', 'secrets', '*'),
  resourceNames: fc.option(someOf('n', 'm'), { nil: undefined, freq: 1 }),
});
const pathRules = fc.record<PolicyRule>({ verbs: someOf('get', '*'), nonResourceURLs: someOf('/x', '/x/*', '*') });
const rules = fc.array(fc.oneof({ weight: 3, arbitrary: resourceRules }, pathRules), { maxLength: 2 });

const subjects = fc.array(
  fc.record<Subject>({
    kind: fc.constantFrom('User', 'Group', 'ServiceAccount', 'ServiceAccount', 'Robot'),
    name: fc.constantFrom('dev', 'robot', 'system:serviceaccount:a:robot'),
    namespace: fc.constantFrom(undefined, '', 'b'),
  }),
  { maxLength: 3 },
);

type Change = readonly [kind: Kind, ref: ObjectRef, content: object | undefined];

const named = fc.constantFrom(...NAMES);
const placed = fc.record({ namespace: fc.constantFrom(...NAMESPACES), name: named });
const clusterWide = fc.record({ name: named });
const roleRef = (kinds: string[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), name: named, apiGroup: fc.constant('rbac.authorization.k8s.io') });
const changeOf = (kind: Kind, refs: fc.Arbitrary<ObjectRef>, content: fc.Arbitrary<object>): fc.Arbitrary<Change> =>
  fc.tuple(fc.constant(kind), refs, fc.option(content, { nil: undefined, freq: 4 }));

const changes = fc.array(
  fc.oneof(
    changeOf(Role, placed, fc.record({ rules })),
    changeOf(ClusterRole, clusterWide, fc.record({ rules })),
    changeOf(RoleBinding, placed, fc.record({ subjects, roleRef: roleRef(['Role', 'ClusterRole']) })),
    changeOf(ClusterRoleBinding, clusterWide, fc.record({ subjects, roleRef: roleRef(['ClusterRole']) })),
  ),
  { minLength: 1, maxLength: 30, size: 'max' },
);

const users = fc.record<User>({
  name: fc.constantFrom('dev', 'system:serviceaccount:a:robot', 'system:serviceaccount:b:robot'),
  groups: fc.subarray(['dev', 'robot', 'other']),
});
const attributes: fc.Arbitrary<Attributes> = fc.oneof(
  fc.record({
    type: fc.constant('resource' as const),
    verb: fc.constantFrom('get', 'list'),
    group: fc.constantFrom('', 'apps'),
    resource: fc.constantFrom('pods', 'secrets'),
    subresource: fc.constantFrom(undefined, 'log', 'status'),
    namespace: fc.constantFrom(undefined, ...NAMESPACES, 'c'),
    name: fc.constantFrom('', 'n', 'o'),
  }),
  fc.record({
    type: fc.constant('path' as const),
    verb: fc.constantFrom('get', 'post'),
    path: fc.constantFrom('/x', '/x/y', '/z'),
  }),
);
const requests = fc.array(fc.tuple(users, attributes), { minLength: 20, maxLength: 40 });

async function openStore(): Promise<Store> {
  return Store.open({ log: new MemoryLog(), clock: new FakeClock(), logger: silentLogger });
}

async function put(store: Store, [kind, ref, content]: Change): Promise<void> {
  const resource = resourceOf(kind);
  const entry = store.get(resource, ref);
  const write = { resource, ref, expected: entry?.revision ?? 0, durability: 'derived' } as const;
  if (content) await store.write({ ...write, object: typed(kind, { metadata: { ...ref }, ...content }) });
  else if (entry) await store.write({ ...write, object: structuredClone(entry.object), remove: true });
}

test('the index and a look through everything come to the same decisions', async () => {
  const property = fc.asyncProperty(changes, changes, requests, async (before, after, asked) => {
    await using store = await openStore();
    for (const change of before) await put(store, change);
    const { authorizer } = createRights(store);
    for (const change of after) await put(store, change);
    for (const [user, what] of asked) {
      const shown = JSON.stringify([user, what]);
      assert.equal(authorizer(user, what).isAllowed, isAllowedBySearch(store, user, what), shown);
    }
  });
  await fc.assert(property, { numRuns: RUNS });
});

type RoleLike = KubeObject & { rules?: PolicyRule[] };
type BindingLike = KubeObject & { subjects?: Subject[]; roleRef: { kind: string; name: string } };

function isAllowedBySearch(store: Store, user: User, what: Attributes): boolean {
  const bindings = [ClusterRoleBinding, RoleBinding].flatMap((kind) => store.list(resourceOf(kind)).objects);
  return (bindings as BindingLike[]).some((binding) => {
    const { namespace } = binding.metadata;
    if (namespace !== undefined && (what.type !== 'resource' || what.namespace !== namespace)) return false;
    if (!(binding.subjects ?? []).some((subject) => isMeant(subject, user, namespace))) return false;
    const { kind, name } = binding.roleRef;
    const roles = store.list(resourceOf(kind === 'Role' ? Role : ClusterRole)).objects as readonly RoleLike[];
    const role = roles.find(({ metadata }) => {
      return metadata.name === name && metadata.namespace === (kind === 'Role' ? namespace : undefined);
    });
    return (role?.rules ?? []).some((rule) => isIn(rule, what));
  });
}

function isMeant({ kind, name, namespace }: Subject, user: User, ofBinding: string | undefined): boolean {
  if (kind === 'User') return user.name === name;
  if (kind === 'Group') return user.groups.includes(name);
  const place = namespace || ofBinding;
  return kind === 'ServiceAccount' && place !== undefined && user.name === `system:serviceaccount:${place}:${name}`;
}

function isIn(rule: PolicyRule, what: Attributes): boolean {
  const has = (list: readonly string[] | undefined, ...wanted: string[]) =>
    (list ?? []).some((one) => one === '*' || wanted.includes(one));
  if (!has(rule.verbs, what.verb)) return false;
  if (what.type === 'path') {
    return (rule.nonResourceURLs ?? []).some((url) => {
      return url === what.path || (url.endsWith('*') && what.path.startsWith(url.slice(0, -1)));
    });
  }
  const { group, resource, subresource, name } = what;
  const wanted = subresource === undefined ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`];
  if (!has(rule.apiGroups, group) || !has(rule.resources, ...wanted)) return false;
  return rule.resourceNames === undefined || rule.resourceNames.includes(name);
}

const view = { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] };
const toUser = (name: string, role: string) => ({
  subjects: [{ kind: 'User', name }],
  roleRef: { kind: 'ClusterRole', name: role, apiGroup: 'rbac.authorization.k8s.io' },
});

test('what was given to others, however often, is not looked at', async () => {
  await using store = await openStore();
  const index = new RoleIndex(store);
  await put(store, [ClusterRole, { name: 'view' }, view]);
  for (let count = 0; count < 2_000; count += 1) {
    await put(store, [ClusterRoleBinding, { name: `other${count}` }, toUser(`other${count}`, 'view')]);
    await put(store, [ClusterRoleBinding, { name: `same${count}` }, toUser('jane', 'view')]);
  }
  const grants = [...index.grants({ name: 'jane', groups: [] }, 'default')];
  assert.deepEqual(
    grants.map(({ role, binding }) => [role.name, binding.metadata.name]),
    [['view', 'same0']],
  );
  for (let count = 0; count < 2_000; count += 1)
    await put(store, [ClusterRoleBinding, { name: `same${count}` }, undefined]);
  assert.deepEqual([...index.grants({ name: 'jane', groups: [] }, 'default')], []);
});

test('reasons name the binding that allows, or the roles that are not there', async () => {
  await using store = await openStore();
  const { authorizer } = createRights(store);
  const user = { name: 'jane', groups: ['dev'] };
  const asked = {
    type: 'resource',
    verb: 'get',
    group: '',
    resource: 'pods',
    subresource: undefined,
    namespace: 'a',
    name: 'x',
  } as const;
  await put(store, [ClusterRoleBinding, { name: 'c' }, toUser('jane', 'gone')]);
  assert.equal(authorizer(user, asked).reason(), 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found');
  const ofRole = { kind: 'Role', name: 'away', apiGroup: 'rbac.authorization.k8s.io' };
  await put(store, [
    RoleBinding,
    { namespace: 'a', name: 'b' },
    { subjects: [{ kind: 'Group', name: 'dev' }], roleRef: ofRole },
  ]);
  assert.equal(
    authorizer(user, asked).reason(),
    'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "away" not found]',
  );
  await put(store, [Role, { namespace: 'a', name: 'away' }, view]);
  assert.equal(authorizer(user, asked).reason(), 'RBAC: allowed by RoleBinding "b/a" of Role "away" to Group "dev"');
});
