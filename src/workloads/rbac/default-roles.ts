/**
 * The roles and bindings that Kubernetes 1.33 has from the start, as far as users name them or they give rights here.
 * Those of its own processes (`system:controller:…`, `system:kube-scheduler`, `system:node…` and the like) are left out:
 * there are no such processes, and ours need no roles. What is in a role is complete, also where it names kinds that are
 * not served. Pure data.
 *
 * k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy
 */
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { typed } from '#kube/kind.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';
/** `false` keeps an object from being brought up to date at the next start. */
export const AUTO_UPDATE_ANNOTATION = 'rbac.authorization.kubernetes.io/autoupdate';

export const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const READ_WRITE = [...READ, ...WRITE].sort();

/** @param resources names with blanks between them. */
export function may(verbs: readonly string[], group: string, resources: string): PolicyRule {
  return { verbs: [...verbs], apiGroups: [group], resources: resources.split(' ') };
}

/** @param paths with blanks between them. */
function mayGet(paths: string): PolicyRule {
  return { verbs: ['get'], nonResourceURLs: paths.split(' ') };
}

const VIEW: readonly PolicyRule[] = [
  may(
    READ,
    '',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
  ),
  may(
    READ,
    '',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
  ),
  may(READ, '', 'namespaces'),
  may(READ, 'discovery.k8s.io', 'endpointslices'),
  may(
    READ,
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
  ),
  may(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  may(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  may(
    READ,
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
  ),
  may(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  may(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
];

const EDIT: readonly PolicyRule[] = [
  may(READ, '', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  may(['impersonate'], '', 'serviceaccounts'),
  may(WRITE, '', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  may(['create'], '', 'pods/eviction'),
  may(
    WRITE,
    '',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  may(['create'], '', 'serviceaccounts/token'),
  may(
    WRITE,
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
  ),
  may(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  may(WRITE, 'batch', 'cronjobs jobs'),
  may(
    WRITE,
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
  ),
  may(WRITE, 'policy', 'poddisruptionbudgets'),
  may(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
  may(READ_WRITE, 'coordination.k8s.io', 'leases'),
];

const ADMIN: readonly PolicyRule[] = [
  may(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  may(READ_WRITE, RBAC_GROUP, 'rolebindings roles'),
];

const RULES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [may(['*'], '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  'system:discovery': [
    mayGet('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'),
  ],
  'system:monitoring': [mayGet('/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*')],
  'system:public-info-viewer': [mayGet('/healthz /livez /readyz /version /version/')],
  'system:service-account-issuer-discovery': [
    mayGet('/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'),
  ],
  'system:basic-user': [
    may(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    may(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:auth-delegator': [
    may(['create'], 'authentication.k8s.io', 'tokenreviews'),
    may(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
};

/** Role → groups that have it. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:monitoring': ['system:monitoring'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
  'system:service-account-issuer-discovery': ['system:serviceaccounts'],
};

export function defaultClusterRoles(): ClusterRole[] {
  const plain = Object.entries(RULES).map(([name, rules]) => clusterRole(name, rules));
  return [
    ...plain,
    aggregatedRole('admin', []),
    aggregatedRole('edit', ['admin']),
    aggregatedRole('view', ['edit']),
    clusterRole('system:aggregate-to-admin', ADMIN, aggregatedTo('admin')),
    clusterRole('system:aggregate-to-edit', EDIT, aggregatedTo('edit')),
    clusterRole('system:aggregate-to-view', VIEW, aggregatedTo('view')),
  ];
}

export function defaultClusterRoleBindings(): ClusterRoleBinding[] {
  return Object.entries(GROUPS).map(([name, groups]) =>
    typed(ClusterRoleBinding, {
      metadata: metadataOf(name),
      roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
      subjects: groups.map((group) => ({ kind: 'Group', apiGroup: RBAC_GROUP, name: group })),
    }),
  );
}

type Labels = Readonly<Record<string, string>>;

/** Makes a role part of `admin`, `edit` or `view`. */
export function aggregatedTo(role: string): Labels {
  return { [`${RBAC_GROUP}/aggregate-to-${role}`]: 'true' };
}

function clusterRole(name: string, rules: readonly PolicyRule[], labels: Labels = {}): ClusterRole {
  return typed(ClusterRole, { metadata: metadataOf(name, labels), rules: [...rules] });
}

/** A role that is made of those that say so, and part of `parents` itself. */
function aggregatedRole(name: string, parents: readonly string[]): ClusterRole {
  const labels = Object.assign({}, ...parents.map(aggregatedTo)) as Labels;
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: aggregatedTo(name) }] };
  return typed(ClusterRole, { metadata: metadataOf(name, labels), aggregationRule });
}

function metadataOf(name: string, labels: Labels = {}) {
  return {
    name,
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { [AUTO_UPDATE_ANNOTATION]: 'true' },
  };
}
