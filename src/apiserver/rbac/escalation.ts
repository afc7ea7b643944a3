/**
 * Nobody gives rights that they do not have: a role may only be written, and only be bound, by who holds all of its rules
 * in the same place, by who has the verb `escalate` or `bind` on it, or by a member of `system:masters`.
 *
 * k8s.io/kubernetes/pkg/registry/rbac. Unlike there, rules that come apart into absurdly many rights are refused.
 */
import { deepEqual } from '#base/json.ts';
import type { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { Role } from '#kube/kinds/rbac/role.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import type { KubeObject } from '#kube/object.ts';
import { describeRule, joinVerbs, missingRights, quotedList, TooManyRights } from '#kube/rbac/rules.ts';
import { forbidden, notFound } from '#kube/status.ts';
import { listOf } from '#apiserver/lists.ts';
import { joinErrors, missingRole } from '#apiserver/rbac/describe.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import type { Binding } from '#apiserver/rbac/role-index.ts';
import type { RightsCheck } from '#apiserver/strategy.ts';
import { MASTERS } from '#apiserver/user.ts';

const GROUP = 'rbac.authorization.k8s.io';
const EVERYTHING: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** Before a role is written. Throws 403. */
export function checkRole(rights: Rights, check: RightsCheck<Role | ClusterRole>): void {
  const { object, old, user, name, namespace } = check;
  const plural = namespace === undefined ? 'clusterroles' : 'roles';
  if (isExempt(check)) return;
  const escalating = { verb: 'escalate', group: GROUP, resource: plural, subresource: undefined, namespace, name };
  if (rights.authorizer(user, { type: 'resource', ...escalating }).isAllowed) return;
  const refuse = (why: string) => forbidden({ group: GROUP, plural }, object.metadata.name ?? '', why);
  const missing = whatIsMissing(rights, check, listOf(object.rules));
  if (missing !== undefined) throw refuse(missing);
  // It may gather anything.
  const aggregates = [object, old].some((role) => role && aggregationOf(role).length > 0);
  if (!aggregates || whatIsMissing(rights, check, EVERYTHING) === undefined) return;
  throw refuse('must have cluster-admin privileges to use the aggregationRule');
}

/** Before a role is bound. Throws 403, or 404 for a role that is not there. */
export function checkBinding(rights: Rights, check: RightsCheck<Binding>): void {
  const { object, user, namespace } = check;
  if (isExempt(check)) return;
  const { kind, name, apiGroup } = object.roleRef;
  const plural = kind === 'Role' ? 'roles' : 'clusterroles';
  const binding = { verb: 'bind', group: apiGroup, resource: plural, subresource: undefined, namespace, name };
  if (rights.authorizer(user, { type: 'resource', ...binding }).isAllowed) return;
  const rules = rights.rulesOf(object.roleRef, namespace ?? '');
  if (!rules) throw notFound({ group: GROUP, plural }, name);
  const missing = whatIsMissing(rights, check, rules);
  if (missing === undefined) return;
  const own = namespace === undefined ? 'clusterrolebindings' : 'rolebindings';
  throw forbidden({ group: GROUP, plural: own }, object.metadata.name ?? '', missing);
}

function isExempt({ object, old, user }: RightsCheck): boolean {
  return user.groups.includes(MASTERS) || (old !== undefined && changesOnlyOwnership(object, old));
}

/** What garbage collection has to write. */
function changesOnlyOwnership(object: KubeObject, old: KubeObject): boolean {
  const { ownerReferences, finalizers, managedFields } = old.metadata;
  const metadata = { ...object.metadata, ownerReferences, finalizers, managedFields };
  return deepEqual(
    defined({ ...object, metadata: defined(metadata) }),
    defined({ ...old, metadata: defined(old.metadata) }),
  );
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function aggregationOf(role: Role | ClusterRole): readonly unknown[] {
  return 'aggregationRule' in role ? listOf(role.aggregationRule?.clusterRoleSelectors) : [];
}

/** In Kubernetes' words; undefined when nothing is missing. */
function whatIsMissing(
  rights: Rights,
  { user, namespace }: RightsCheck,
  wanted: readonly PolicyRule[],
): string | undefined {
  const held = rights.heldBy(user, namespace);
  try {
    const missing = missingRights(held.rules, wanted);
    if (missing.length === 0) return undefined;
    const lines = [...new Set(joinVerbs(missing).map(describeRule))].sort();
    const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
    const what = `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`;
    if (held.missing.length === 0) return what;
    return `${what}; resolution errors: [${joinErrors(held.missing.map((role) => missingRole(role, 'plural')))}]`;
  } catch (error) {
    if (error instanceof TooManyRights) return error.message;
    throw error;
  }
}
