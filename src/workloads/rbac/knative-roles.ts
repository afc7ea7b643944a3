/**
 * The cluster roles that an installation of Knative Serving brings, which people bind and which make `admin`, `edit` and
 * `view` reach Knative's kinds. Its bindings are left out: they give rights to the accounts of controllers that are part
 * of this program here. Pure data.
 *
 * knative.dev/serving/config/core/200-roles
 */
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { typed } from '#kube/kind.ts';
import { aggregatedTo, may, RBAC_GROUP, READ } from '#workloads/rbac/default-roles.ts';

const SERVING = 'serving.knative.dev';
const INTERNAL = [
  'networking.internal.knative.dev',
  'autoscaling.internal.knative.dev',
  'caching.internal.knative.dev',
];

const OF_CONTROLLER = { 'serving.knative.dev/controller': 'true' };
const ADDRESSABLE = { 'duck.knative.dev/addressable': 'true' };
const PODSPECABLE = { 'duck.knative.dev/podspecable': 'true' };

const CHANGE = ['create', 'update', 'patch', 'delete'];
const ALL_BUT_COLLECTIONS = ['get', 'list', 'create', 'update', 'delete', 'patch', 'watch'];
const ALL = ['get', 'list', 'create', 'update', 'delete', 'deletecollection', 'patch', 'watch'];

const readInternal: PolicyRule = { verbs: READ, apiGroups: INTERNAL, resources: ['*'] };

const CORE: readonly PolicyRule[] = [
  may(ALL_BUT_COLLECTIONS, '', 'pods namespaces secrets configmaps endpoints services events serviceaccounts'),
  may(['create'], '', 'endpoints/restricted'),
  may(['update'], '', 'namespaces/finalizers'),
  may(ALL_BUT_COLLECTIONS, 'apps', 'deployments deployments/finalizers'),
  may(
    ALL_BUT_COLLECTIONS,
    'admissionregistration.k8s.io',
    'mutatingwebhookconfigurations validatingwebhookconfigurations',
  ),
  may(ALL_BUT_COLLECTIONS, 'apiextensions.k8s.io', 'customresourcedefinitions customresourcedefinitions/status'),
  may(ALL_BUT_COLLECTIONS, 'autoscaling', 'horizontalpodautoscalers'),
  may(ALL_BUT_COLLECTIONS, 'coordination.k8s.io', 'leases'),
  {
    verbs: ALL,
    apiGroups: [SERVING, 'autoscaling.internal.knative.dev', 'networking.internal.knative.dev'],
    resources: ['*', '*/status', '*/finalizers'],
  },
  may(ALL_BUT_COLLECTIONS, 'caching.internal.knative.dev', 'images'),
  may(ALL_BUT_COLLECTIONS, 'cert-manager.io', 'certificates clusterissuers certificaterequests issuers'),
  may(ALL_BUT_COLLECTIONS, 'acme.cert-manager.io', 'challenges'),
  { ...may(['delete'], RBAC_GROUP, 'clusterroles'), resourceNames: ['knative-serving-certmanager'] },
];

/** @param version of Knative, as its own roles are labelled. */
export function knativeClusterRoles(version: string): ClusterRole[] {
  const common = { 'app.kubernetes.io/version': version, 'app.kubernetes.io/name': 'knative-serving' };
  const role = (name: string, labels: Readonly<Record<string, string>>, rules: readonly PolicyRule[]) =>
    typed(ClusterRole, { metadata: { name, labels: { ...labels, ...common } }, rules: [...rules] });
  const gathering = (name: string, matchLabels: Record<string, string>) =>
    typed(ClusterRole, {
      metadata: { name, labels: { ...common } },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
    });
  return [
    gathering('knative-serving-admin', OF_CONTROLLER),
    role('knative-serving-core', OF_CONTROLLER, CORE),
    role('knative-serving-activator-cluster', OF_CONTROLLER, [
      may(READ, '', 'services endpoints'),
      may(READ, SERVING, 'revisions'),
    ]),
    gathering('knative-serving-aggregated-addressable-resolver', ADDRESSABLE),
    role('knative-serving-addressable-resolver', ADDRESSABLE, [
      may(READ, SERVING, 'routes routes/status services services/status'),
    ]),
    role('knative-serving-podspecable-binding', PODSPECABLE, [
      may(['list', 'watch', 'patch'], SERVING, 'configurations services'),
    ]),
    role('knative-serving-namespaced-admin', aggregatedTo('admin'), [may(['*'], SERVING, '*'), readInternal]),
    role('knative-serving-namespaced-edit', aggregatedTo('edit'), [may(CHANGE, SERVING, '*'), readInternal]),
    role('knative-serving-namespaced-view', aggregatedTo('view'), [
      { verbs: READ, apiGroups: [SERVING, ...INTERNAL], resources: ['*'] },
    ]),
  ];
}
