/**
 * How default roles and bindings are brought up to date at a start: what is missing is added, and what somebody else
 * added stays. An object with the annotation `autoupdate: "false"` is left alone. Pure.
 *
 * k8s.io/component-helpers/auth/rbac/reconciliation
 */
import { deepEqual } from '#base/json.ts';
import type { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { annotationsOf, type KubeObject, labelsOf, type ObjectMeta } from '#kube/object.ts';
import { missingRights } from '#kube/rbac/rules.ts';
import { AUTO_UPDATE_ANNOTATION } from '#workloads/rbac/default-roles.ts';

export type Step<T extends KubeObject> =
  | { readonly type: 'create' | 'update'; readonly object: T }
  /** A binding cannot be given another role. */
  | { readonly type: 'replace'; readonly object: T };

/** Undefined when the role is as it should be. */
export function planRole(known: ClusterRole | undefined, wanted: ClusterRole): Step<ClusterRole> | undefined {
  if (!known) return { type: 'create', object: wanted };
  if (isProtected(known)) return undefined;
  // What a role gathers is the affair of the controller that gathers it.
  const missing = wanted.aggregationRule ? [] : missingRights(known.rules ?? [], wanted.rules ?? []);
  const aggregationRule = aggregationOf(known, wanted);
  const object: ClusterRole = {
    ...known,
    metadata: metadataOf(known, wanted),
    ...(missing.length === 0 ? {} : { rules: [...(known.rules ?? []), ...missing] }),
    ...(aggregationRule ? { aggregationRule } : {}),
  };
  if (!aggregationRule) delete object.aggregationRule;
  return changed(known, object);
}

export function planBinding(
  known: ClusterRoleBinding | undefined,
  wanted: ClusterRoleBinding,
): Step<ClusterRoleBinding> | undefined {
  if (!known) return { type: 'create', object: wanted };
  if (isProtected(known)) return undefined;
  if (!deepEqual(known.roleRef, wanted.roleRef)) return { type: 'replace', object: wanted };
  const subjects = known.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((one) => !subjects.some((other) => deepEqual(one, other)));
  const metadata = metadataOf(known, wanted);
  return changed(known, {
    ...known,
    metadata,
    ...(missing.length === 0 ? {} : { subjects: [...subjects, ...missing] }),
  });
}

function isProtected(object: KubeObject): boolean {
  return annotationsOf(object)[AUTO_UPDATE_ANNOTATION] === 'false';
}

/** What the known object says of itself counts. */
function metadataOf(known: KubeObject, wanted: KubeObject): ObjectMeta {
  const labels = { ...labelsOf(wanted), ...labelsOf(known) };
  const annotations = { ...annotationsOf(wanted), ...annotationsOf(known) };
  return {
    ...known.metadata,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

/** All selectors of both; none when the role is not to gather at all. */
function aggregationOf(known: ClusterRole, wanted: ClusterRole): ClusterRole['aggregationRule'] {
  if (!wanted.aggregationRule) return undefined;
  const selectors = known.aggregationRule?.clusterRoleSelectors ?? [];
  const missing = (wanted.aggregationRule.clusterRoleSelectors ?? []).filter(
    (one) => !selectors.some((other) => deepEqual(one, other)),
  );
  return { clusterRoleSelectors: [...selectors, ...missing] };
}

function changed<T extends KubeObject>(known: T, object: T): Step<T> | undefined {
  return deepEqual(known, object) ? undefined : { type: 'update', object };
}
