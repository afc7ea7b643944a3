/** Every built-in kind that has objects of its own; the Scale subresource's kind is in `autoscaling/scale.ts`. */
import type { Kind } from '#kube/kind.ts';
import { MutatingWebhookConfiguration } from '#kube/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { EventV1 } from '#kube/kinds/events/event.ts';
import { PodDisruptionBudget } from '#kube/kinds/policy/pod-disruption-budget.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { Role } from '#kube/kinds/rbac/role.ts';
import { RoleBinding } from '#kube/kinds/rbac/role-binding.ts';

export const builtinKinds: readonly Kind[] = [
  ConfigMap,
  Endpoints,
  Event,
  Namespace,
  Node,
  Pod,
  ResourceQuota,
  Secret,
  ServiceAccount,
  Service,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  CustomResourceDefinition,
  Deployment,
  ReplicaSet,
  HorizontalPodAutoscaler,
  Job,
  Lease,
  EndpointSlice,
  EventV1,
  PodDisruptionBudget,
  ClusterRoleBinding,
  ClusterRole,
  RoleBinding,
  Role,
];
