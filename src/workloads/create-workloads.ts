/** All built-in controllers of the one-machine home. */
import type { Controller } from '#controller/controller.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import type { Kind } from '#kube/kind.ts';
import { FollowedKinds } from '#workloads/definitions/followed-kinds.ts';
import { createDefinitionController } from '#workloads/definitions/reconcile.ts';
import { createDeploymentController } from '#workloads/deployment/reconcile.ts';
import { createEndpointsController } from '#workloads/endpoints/reconcile.ts';
import { createSliceMirrorController } from '#workloads/endpoints/slices.ts';
import { createGarbageCollector } from '#workloads/garbage-collector/collector.ts';
import { createJobOrphanController } from '#workloads/job/orphans.ts';
import { createJobController } from '#workloads/job/reconcile.ts';
import { createJobTtlController } from '#workloads/job/ttl.ts';
import { createNamespaceController } from '#workloads/namespace/reconcile.ts';
import { createReplicaSetController, type WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';
import { createRoleAggregation } from '#workloads/rbac/aggregation.ts';
import { createResourceQuotaController } from '#workloads/resource-quota/reconcile.ts';
import { createScheduler } from '#workloads/scheduler/reconcile.ts';

export interface WorkloadsOptions extends WorkloadEnvironment {
  /** Every kind that is served. */
  readonly kinds: readonly Kind[];
  readonly rootCa: string;
}

export function createWorkloads(options: WorkloadsOptions): Controller[] {
  const definesKinds = options.kinds.includes(CustomResourceDefinition);
  const definitions = definesKinds ? options.caches.of(CustomResourceDefinition) : undefined;
  const kinds = new FollowedKinds(options.kinds, definitions);
  return [
    ...(definesKinds ? [createDefinitionController(options)] : []),
    createNamespaceController({ ...options, kinds }),
    createDeploymentController(options),
    createReplicaSetController(options),
    createJobController(options),
    createJobOrphanController(options),
    createJobTtlController(options),
    createScheduler(options),
    createEndpointsController(options),
    createSliceMirrorController(options),
    createGarbageCollector({ ...options, kinds }),
    createResourceQuotaController({ ...options, kinds }),
    createRoleAggregation(options),
  ];
}
