/**
 * What the status of an Ingress says. Pure.
 *
 * It is ready once every gateway serves the version of the routing table that holds this generation; that it once was
 * so is not taken back when control or a gateway starts again, since gateways go on serving what they have.
 */
import { deepEqual } from '#base/json.ts';
import { findCondition, type ingressConditions, type Conditions, type ConditionSet } from '#knative/conditions.ts';
import type { Ingress } from '#knative/kinds/ingress.ts';
import { gatewayHosts } from '#ingress/classes.ts';
import type { Publication } from '#ingress/table-builder.ts';

export type IngressStatus = NonNullable<Ingress['status']>;
type NamesOf<S> = S extends ConditionSet<infer Name> ? Name : never;
export type IngressConditions = Conditions<NamesOf<typeof ingressConditions>>;

const WAITING = { reason: 'Uninitialized', message: 'Waiting for load balancer to be ready' };
const CONFLICT = {
  reason: 'DomainConflict',
  message: 'Ingress rejected: ingress has a conflicting domain with another ingress',
};

export interface IngressWorld {
  readonly ingress: Ingress;
  /** Of this generation. */
  readonly publication: Publication;
  /** The version that every connected gateway serves. */
  readonly acknowledged: number;
}

/** Every gateway serves this very generation. */
export function isServed({ publication, acknowledged }: IngressWorld): boolean {
  return publication.state === 'published' && publication.version > 0 && acknowledged >= publication.version;
}

/** The status says of this generation that it is ready. */
export function wasReady({ metadata, status }: Ingress): boolean {
  const isCurrent = status?.observedGeneration === metadata.generation;
  return isCurrent && findCondition(status, 'LoadBalancerReady')?.status === 'True';
}

export function planIngressStatus(
  world: IngressWorld,
  draft: { status: IngressStatus; conditions: IngressConditions },
  clusterDomain: string,
): void {
  const { status, conditions } = draft;
  const { publication } = world;
  if (publication.state === 'conflict') return conditions.markFalse('LoadBalancerReady', CONFLICT);
  conditions.markTrue('NetworkConfigured');
  const { external, internal } = gatewayHosts(clusterDomain);
  const publicLoadBalancer = { ingress: [{ domainInternal: external }] };
  const privateLoadBalancer = { ingress: [{ domainInternal: internal }] };
  const isTold =
    deepEqual(status.publicLoadBalancer, publicLoadBalancer) &&
    deepEqual(status.privateLoadBalancer, privateLoadBalancer);
  if (!isServed(world) && !(isTold && wasReady(world.ingress))) {
    return conditions.markUnknown('LoadBalancerReady', WAITING);
  }
  status.publicLoadBalancer = publicLoadBalancer;
  status.privateLoadBalancer = privateLoadBalancer;
  conditions.markTrue('LoadBalancerReady');
}
