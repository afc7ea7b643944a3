/**
 * Writes the default roles and bindings at a start, only what differs and all at once. They can be written again at any
 * start, so nothing waits for the disk.
 */
import type { Client } from '#client/client.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, nameOf } from '#kube/object.ts';
import { aggregatedRules, inOrderOfNames } from '#workloads/rbac/aggregate.ts';
import { defaultClusterRoleBindings, defaultClusterRoles } from '#workloads/rbac/default-roles.ts';
import { knativeClusterRoles } from '#workloads/rbac/knative-roles.ts';
import { planBinding, planRole, type Step } from '#workloads/rbac/plan.ts';

/** @param knativeVersion that the roles of Knative are labelled with. */
export async function bootstrapRoles(client: Client, knativeVersion: string): Promise<void> {
  const roles = inOrderOfNames([...defaultClusterRoles(), ...knativeClusterRoles(knativeVersion)]);
  const plain = roles.filter(({ aggregationRule }) => !aggregationRule);
  const gathering = roles.filter(({ aggregationRule }) => aggregationRule);
  // Complete from their first moment, so that nobody can bind one while it looks harmless.
  const planGathering = (known: ClusterRole | undefined, wanted: ClusterRole) =>
    planRole(known, known ? wanted : { ...wanted, rules: aggregatedRules(wanted, roles) });
  await bringUpToDate(client.derived, ClusterRole, { wanted: plain, plan: planRole });
  await bringUpToDate(client.derived, ClusterRole, { wanted: gathering, plan: planGathering });
  await bringUpToDate(client.derived, ClusterRoleBinding, { wanted: defaultClusterRoleBindings(), plan: planBinding });
}

interface Defaults<T extends KubeObject> {
  readonly wanted: readonly T[];
  readonly plan: (known: T | undefined, wanted: T) => Step<T> | undefined;
}

async function bringUpToDate<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  { wanted, plan }: Defaults<T>,
): Promise<void> {
  const { items } = await client.list(kind);
  const known = new Map<string, T>(items.map((item) => [nameOf(item), item]));
  await Promise.all(
    wanted.map(async (object) => {
      const step = plan(known.get(nameOf(object)), object);
      if (step) await apply(client, kind, step);
    }),
  );
}

async function apply<T extends KubeObject>(client: Client, kind: Kind<T>, { type, object }: Step<T>): Promise<void> {
  if (type === 'update') {
    await client.update(kind, object);
    return;
  }
  if (type === 'replace') await client.remove(kind, { name: nameOf(object) });
  await client.create(kind, object);
}
