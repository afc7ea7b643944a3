/** Tables of the built-in kinds, by resource. */
import { horizontalPodAutoscalerTable } from '#apiserver/table/autoscalers.ts';
import type { TableKind } from '#apiserver/table/columns.ts';
import { eventTable } from '#apiserver/table/events.ts';
import { namespaceTable, nodeTable, resourceQuotaTable } from '#apiserver/table/nodes.ts';
import { podDisruptionBudgetTable } from '#apiserver/table/pod-disruption-budgets.ts';
import { podTable } from '#apiserver/table/pods.ts';
import { endpointSliceTable, endpointsTable, serviceTable } from '#apiserver/table/services.ts';
import {
  bindingTable,
  configMapTable,
  createdAtTable,
  leaseTable,
  secretTable,
  serviceAccountTable,
} from '#apiserver/table/small-kinds.ts';
import { deploymentTable, jobTable, replicaSetTable } from '#apiserver/table/workloads.ts';

export const builtinTables: ReadonlyMap<string, TableKind> = new Map<string, TableKind>([
  ['configmaps', configMapTable],
  ['endpoints', endpointsTable],
  ['events', eventTable],
  ['namespaces', namespaceTable],
  ['nodes', nodeTable],
  ['pods', podTable],
  ['resourcequotas', resourceQuotaTable],
  ['secrets', secretTable],
  ['serviceaccounts', serviceAccountTable],
  ['services', serviceTable],
  ['customresourcedefinitions.apiextensions.k8s.io', createdAtTable],
  ['deployments.apps', deploymentTable],
  ['replicasets.apps', replicaSetTable],
  ['horizontalpodautoscalers.autoscaling', horizontalPodAutoscalerTable],
  ['jobs.batch', jobTable],
  ['leases.coordination.k8s.io', leaseTable],
  ['endpointslices.discovery.k8s.io', endpointSliceTable],
  ['poddisruptionbudgets.policy', podDisruptionBudgetTable],
  ['clusterrolebindings.rbac.authorization.k8s.io', bindingTable],
  ['clusterroles.rbac.authorization.k8s.io', createdAtTable],
  ['rolebindings.rbac.authorization.k8s.io', bindingTable],
  ['roles.rbac.authorization.k8s.io', createdAtTable],
]);
