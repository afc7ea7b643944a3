/** Which Routes lead, or want to lead, to a Revision or Configuration. */
import type { Cache } from '#client/cache.ts';
import { keyOf, labelsOf, nameOf, namespaceOf, type ObjectKey } from '#kube/object.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import { Revision } from '#knative/kinds/revision.ts';
import type { Route } from '#knative/kinds/route.ts';
import { CONFIGURATION_LABEL } from '#knative/labels.ts';

const BY_TARGET = 'target';

const ofRevision = (namespace: string, name: string) => `revision ${namespace}/${name}`;
const ofConfiguration = (namespace: string, name: string) => `configuration ${namespace}/${name}`;

export function indexTargets(routes: Cache<Route>): void {
  routes.addIndex(BY_TARGET, (route) => {
    const namespace = namespaceOf(route);
    const targets = [...(route.spec.traffic ?? []), ...(route.status?.traffic ?? [])];
    const keys = targets.flatMap(({ revisionName, configurationName }) => [
      ...(revisionName ? [ofRevision(namespace, revisionName)] : []),
      ...(configurationName ? [ofConfiguration(namespace, configurationName)] : []),
    ]);
    return [...new Set(keys)];
  });
}

/** Keys of the Routes that a change of `target` may concern; a Revision's Configuration counts too. */
export function routesTo(routes: Cache<Route>, target: Revision | Configuration): ObjectKey[] {
  const namespace = namespaceOf(target);
  const isRevision = target.kind === Revision.kind;
  const own = isRevision ? ofRevision(namespace, nameOf(target)) : ofConfiguration(namespace, nameOf(target));
  const parent = isRevision ? labelsOf(target)[CONFIGURATION_LABEL] : undefined;
  const found = [own, ...(parent ? [ofConfiguration(namespace, parent)] : [])].flatMap((value) =>
    routes.byIndex(BY_TARGET, value),
  );
  return [...new Set(found.map(keyOf))];
}
