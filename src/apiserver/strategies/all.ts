/** Which strategy each kind follows. */
import type { Clock } from '#base/clock.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { RoleBinding } from '#kube/kinds/rbac/role-binding.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { Store } from '#store/store.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import { configMapStrategy } from '#apiserver/strategies/config-map.ts';
import { customResourceDefinitionStrategy } from '#apiserver/strategies/custom-resource-definition.ts';
import { customStrategy } from '#apiserver/strategies/custom.ts';
import { deploymentStrategy } from '#apiserver/strategies/deployment.ts';
import { horizontalPodAutoscalerStrategy } from '#apiserver/strategies/horizontal-pod-autoscaler/strategy.ts';
import { jobStrategy } from '#apiserver/strategies/job/strategy.ts';
import { namespaceStrategy } from '#apiserver/strategies/namespace.ts';
import { podDisruptionBudgetStrategy } from '#apiserver/strategies/pod-disruption-budget.ts';
import { podStrategy } from '#apiserver/strategies/pod.ts';
import { bindingStrategy, clusterRoleStrategy, roleStrategy } from '#apiserver/strategies/rbac.ts';
import { replicaSetStrategy } from '#apiserver/strategies/replica-set.ts';
import { resourceQuotaStrategy } from '#apiserver/strategies/resource-quota.ts';
import { secretStrategy } from '#apiserver/strategies/secret.ts';
import { ServiceAllocator } from '#apiserver/strategies/service/allocation.ts';
import { serviceStrategy } from '#apiserver/strategies/service/strategy.ts';
import {
  endpointSliceStrategy,
  endpointsStrategy,
  eventStrategy,
  leaseStrategy,
  nodeStrategy,
  serviceAccountStrategy,
} from '#apiserver/strategies/small-kinds.ts';
import {
  mutatingWebhookConfigurationStrategy,
  validatingWebhookConfigurationStrategy,
} from '#apiserver/strategies/webhooks/webhook-configuration.ts';
import type { Strategy } from '#apiserver/strategy.ts';

export interface StrategyOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly rights: Rights;
  /** Addresses of Services, such as `10.96.0.0/16`. */
  readonly serviceCidr: string;
}

export function strategies({ store, clock, rights, serviceCidr }: StrategyOptions): (kind: Kind) => Strategy {
  const services = serviceStrategy(new ServiceAllocator({ store, clock, cidr: serviceCidr }));
  const builtin = new Map<string, Strategy>([
    ['configmaps', configMapStrategy],
    ['endpoints', endpointsStrategy],
    ['events', eventStrategy],
    ['namespaces', namespaceStrategy],
    ['nodes', nodeStrategy],
    ['pods', podStrategy],
    ['resourcequotas', resourceQuotaStrategy],
    ['secrets', secretStrategy],
    ['serviceaccounts', serviceAccountStrategy],
    ['services', services],
    ['customresourcedefinitions.apiextensions.k8s.io', customResourceDefinitionStrategy],
    ['deployments.apps', deploymentStrategy],
    ['replicasets.apps', replicaSetStrategy],
    ['jobs.batch', jobStrategy],
    ['horizontalpodautoscalers.autoscaling', horizontalPodAutoscalerStrategy],
    ['leases.coordination.k8s.io', leaseStrategy],
    ['endpointslices.discovery.k8s.io', endpointSliceStrategy],
    ['poddisruptionbudgets.policy', podDisruptionBudgetStrategy],
    ['roles.rbac.authorization.k8s.io', roleStrategy(rights)],
    ['clusterroles.rbac.authorization.k8s.io', clusterRoleStrategy(rights)],
    ['rolebindings.rbac.authorization.k8s.io', bindingStrategy(rights, RoleBinding)],
    ['clusterrolebindings.rbac.authorization.k8s.io', bindingStrategy(rights, ClusterRoleBinding)],
    ['mutatingwebhookconfigurations.admissionregistration.k8s.io', mutatingWebhookConfigurationStrategy],
    ['validatingwebhookconfigurations.admissionregistration.k8s.io', validatingWebhookConfigurationStrategy],
  ]);
  return (kind) => (kind.isCustom ? customStrategy(kind) : (builtin.get(resourceOf(kind)) ?? {}));
}
