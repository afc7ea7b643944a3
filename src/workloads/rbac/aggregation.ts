/** Keeps the rules of cluster roles that are made of others: see `aggregate.ts`. */
import { deepEqual } from '#base/json.ts';
import { Controller, type Outcome, type Source, watching } from '#controller/controller.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { typed } from '#kube/kind.ts';
import { nameOf, type ObjectKey } from '#kube/object.ts';
import { aggregatedRules, inOrderOfNames } from '#workloads/rbac/aggregate.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const MANAGER = 'clusterrole-aggregation-controller';

/** A change of any role may concern any other, and all of them together are few: they are looked at together. */
const KEY = 'cluster-roles';

export function createRoleAggregation(environment: WorkloadEnvironment): Controller {
  const source: Source = watching(environment.caches.of(ClusterRole), () => [KEY]);
  return new Controller({
    ...environment,
    name: MANAGER,
    sources: [source],
    reconcile: (key) => reconcile(environment, key),
  });
}

async function reconcile({ caches, client }: WorkloadEnvironment, _key: ObjectKey): Promise<Outcome> {
  const roles = inOrderOfNames(caches.of(ClusterRole).list());
  for (const role of roles) {
    if (!role.aggregationRule) continue;
    const rules = aggregatedRules(role, roles);
    if (deepEqual(rules, role.rules ?? [])) continue;
    const body = typed(ClusterRole, { metadata: { name: nameOf(role) }, rules });
    const options = { fieldManager: MANAGER, force: true };
    await client.derived.patch(ClusterRole, { name: nameOf(role) }, { type: 'apply', body }, options);
  }
}
