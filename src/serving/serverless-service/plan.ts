/**
 * A ServerlessService keeps the two Services of a revision and leads the public one to pods or activator.
 *
 * In Knative mode Serve takes the activator out of the way, because a sidecar in each pod keeps its limits and counts
 * its requests. Here nothing in the pod does: requests that went to it directly would exceed containerConcurrency and
 * be invisible to the autoscaler, which would scale the revision away under them. So the Endpoints are the activator's
 * in either mode, and the pods' only where there is no activator at all. Mode and conditions are told as in Knative.
 *
 * Services are durable, since others know their addresses. Endpoints and the status follow from mode and pods, and are
 * written derived: they change with every scale to and from zero.
 */
import { deepEqual } from '#base/json.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { EndpointSubset } from '#kube/kinds/core/endpoints-subset.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { nameOf, type Stored } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import { notFound } from '#kube/status.ts';
import type { serverlessServiceConditions } from '#knative/conditions.ts';
import type { ServerlessService } from '#knative/kinds/serverless-service.ts';
import type { Draft, NamesOf, Plan } from '#serving/draft.ts';
import type { ActivatorEndpoint } from '#serving/environment.ts';
import { NOT_OWNED, notOwned } from '#serving/errors.ts';
import {
  activatorSubsets,
  desiredEndpoints,
  desiredPrivateService,
  desiredPublicService,
  podSubsets,
  readyCount,
} from '#serving/serverless-service/services.ts';
import { chooseSubset } from '#serving/serverless-service/subset.ts';
import { create, type Step, update } from '#serving/steps.ts';

export type SksStatus = NonNullable<ServerlessService['status']>;
export type SksDraft = Draft<SksStatus, NamesOf<typeof serverlessServiceConditions>>;

export interface SksWorld {
  readonly sks: Stored<ServerlessService>;
  /** What `spec.objectRef` names; its selector is that of the pods. */
  readonly deployment?: Deployment | undefined;
  readonly privateService?: Stored<Service> | undefined;
  readonly publicService?: Stored<Service> | undefined;
  readonly privateEndpoints?: Stored<Endpoints> | undefined;
  readonly publicEndpoints?: Stored<Endpoints> | undefined;
  readonly activators: readonly ActivatorEndpoint[];
}

const NOT_READY_MESSAGE = 'K8s Service is not ready';
const BY_ACTIVATOR = { reason: 'ActivatorEndpointsPopulated', message: 'Revision is backed by Activator' };

export function planServerlessService(world: SksWorld, draft: SksDraft): Plan {
  const { sks, deployment } = world;
  if (!deployment) {
    const why = notFound(Deployment, sks.spec.objectRef.name ?? '').message;
    return { steps: [], failure: new Error(`error retrieving deployment selector spec: ${why}`) };
  }
  const taken = takenName(world, draft);
  if (taken) return taken;
  const desiredPrivate = desiredPrivateService(sks, deployment.spec.selector.matchLabels ?? {});
  const desiredPublic = desiredPublicService(sks);
  draft.status.privateServiceName = nameOf(desiredPrivate);
  draft.status.serviceName = nameOf(desiredPublic);
  const steps = [
    ...planService(world.privateService, desiredPrivate, 'private'),
    ...planService(world.publicService, desiredPublic, 'public'),
    ...planEndpoints(world),
  ];
  report(world, draft);
  return { steps };
}

function takenName({ sks, ...world }: SksWorld, { conditions }: SksDraft): Plan | undefined {
  const { privateService, publicService, publicEndpoints } = world;
  for (const object of [privateService, publicService, publicEndpoints]) {
    if (!object || isControlledBy(object, sks)) continue;
    const message = `Resource ${nameOf(object)} of type ${object.kind} is not owned by SKS`;
    conditions.markFalse('EndpointsPopulated', { reason: NOT_OWNED, message });
    return { steps: [], failure: notOwned(`SKS: ${nameOf(sks)}`, `${object.kind}: ${nameOf(object)}`) };
  }
  return undefined;
}

/** Only ports and selector are ours; the API server adds an address and more. */
function planService(existing: Stored<Service> | undefined, desired: Service, which: string): Step[] {
  if (!existing) return [create(Service, desired, { doing: `failed to create ${which} K8s Service` })];
  const { ports, selector } = desired.spec;
  const spec = { ...existing.spec, ports, selector };
  if (deepEqual(existing.spec, spec)) return [];
  return [update(Service, { ...existing, spec }, { doing: `failed to update ${which} K8s Service` })];
}

function planEndpoints(world: SksWorld): Step[] {
  const { sks, publicEndpoints } = world;
  const subsets = publicSubsets(world);
  const options = { as: 'derived', doing: 'failed to write public K8s Endpoints' } as const;
  if (!publicEndpoints) return [create(Endpoints, desiredEndpoints(sks, subsets), options)];
  if (deepEqual(publicEndpoints.subsets ?? [], subsets)) return [];
  return [update(Endpoints, { ...publicEndpoints, subsets }, options)];
}

function publicSubsets({ sks, privateEndpoints, activators }: SksWorld): EndpointSubset[] {
  if (activators.length === 0) return podSubsets(sks, privateEndpoints);
  const addresses = activators.map(({ ip }) => ip);
  const chosen = chooseSubset(addresses, sks.spec.numActivators ?? 0, nameOf(sks));
  return activatorSubsets(
    sks,
    activators.filter(({ ip }) => chosen.has(ip)),
  );
}

function report({ sks, privateEndpoints }: SksWorld, { conditions }: SksDraft): void {
  const hasPods = readyCount(privateEndpoints) > 0;
  if (hasPods) conditions.markTrue('EndpointsPopulated');
  else conditions.markUnknown('EndpointsPopulated', { reason: 'NoHealthyBackends', message: NOT_READY_MESSAGE });
  const isActivated = !hasPods || sks.spec.mode === 'Proxy';
  if (isActivated) conditions.markTrue('ActivatorEndpointsPopulated', BY_ACTIVATOR);
  else conditions.markFalse('ActivatorEndpointsPopulated', BY_ACTIVATOR);
}
