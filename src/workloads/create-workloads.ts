/** All built-in controllers of the one-machine home. */
import type { Controller } from '#controller/controller.ts';
import type { Kind } from '#kube/kind.ts';
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
import { createScheduler } from '#workloads/scheduler/reconcile.ts';

export interface WorkloadsOptions extends WorkloadEnvironment {
  /** Every kind that is served. */
  readonly kinds: readonly Kind[];
  readonly rootCa: string;
}

export function createWorkloads(options: WorkloadsOptions): Controller[] {
  const namespaced = options.kinds.filter((kind) => kind.namespaced);
  return [
    createNamespaceController({ ...options, kinds: namespaced }),
    createDeploymentController(options),
    createReplicaSetController(options),
    createJobController(options),
    createJobOrphanController(options),
    createJobTtlController(options),
    createScheduler(options),
    createEndpointsController(options),
    createSliceMirrorController(options),
    createGarbageCollector(options),
    createRoleAggregation(options),
  ];
}
