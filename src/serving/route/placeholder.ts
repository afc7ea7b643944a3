/**
 * The Services that hold a Route's names inside the cluster: one for its own, one per tag. Until the Ingress has a load
 * balancer they stand for the public host; then they lead to the load balancer, by the private way where there is one.
 */
import { deepEqual } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { annotationsOf, labelsOf, nameOf, type ObjectMeta, type Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { Ingress } from '#knative/kinds/ingress.ts';
import type { Route } from '#knative/kinds/route.ts';
import { ROUTE_LABEL, VISIBILITY_LABEL } from '#knative/labels.ts';
import { includesAll } from '#serving/content.ts';
import { create, remove, type Step, update } from '#serving/steps.ts';

type ServiceSpec = Service['spec'];
type LoadBalancer = NonNullable<NonNullable<Ingress['status']>['publicLoadBalancer']>;
type Balancer = NonNullable<LoadBalancer['ingress']>[number];

const HTTP2_PORT = {
  name: 'http2',
  appProtocol: 'kubernetes.io/h2c',
  port: 80,
  protocol: 'TCP',
  targetPort: 80,
} as const;
const MESH_PORT = { name: 'http', port: 80, protocol: 'TCP', targetPort: 80 } as const;

export interface Placeholder {
  /** The host label: the name of the Service. */
  readonly name: string;
  readonly service?: Stored<Service> | undefined;
  readonly endpoints?: Stored<Endpoints> | undefined;
}

interface Content {
  readonly spec: ServiceSpec;
  readonly subsets?: Endpoints['subsets'];
}

/** Any non-empty value of the label makes the tag private. */
export function isMarkedPrivate(service: Service | undefined): boolean {
  return (service?.metadata.labels?.[VISIBILITY_LABEL] ?? '') !== '';
}

/** Where the Ingress says that its load balancer is; undefined while it does not say so in exactly one way. */
function balancerOf(ingress: Ingress | undefined, isPrivate: boolean): Balancer | undefined {
  const { privateLoadBalancer, publicLoadBalancer } = ingress?.status ?? {};
  const ways = isPrivate || privateLoadBalancer?.ingress?.length ? privateLoadBalancer : publicLoadBalancer;
  const [only, ...others] = ways?.ingress ?? [];
  return others.length === 0 ? only : undefined;
}

/** An address is preferred to a name; undefined when the balancer says nothing that can be used. */
function contentFor(balancer: Balancer | undefined): Content | undefined {
  if (!balancer) return undefined;
  if (balancer.ip) {
    const port = { name: HTTP2_PORT.name, appProtocol: HTTP2_PORT.appProtocol, port: 80, protocol: 'TCP' as const };
    const subsets = [{ addresses: [{ ip: balancer.ip }], ports: [port] }];
    return { spec: { type: 'ClusterIP', clusterIP: 'None', ports: [HTTP2_PORT] }, subsets };
  }
  const externalName = balancer.domainInternal || balancer.domain;
  if (externalName) return { spec: externalNameSpec(externalName) };
  return balancer.meshOnly ? { spec: { type: 'ClusterIP', ports: [MESH_PORT] } } : undefined;
}

function externalNameSpec(externalName: string): ServiceSpec {
  return { type: 'ExternalName', externalName, sessionAffinity: 'None', ports: [HTTP2_PORT] };
}

function metadataFor(route: Route, name: string): ObjectMeta {
  // The visibility of a Route is not that of its tags: users mark those one by one.
  const { [VISIBILITY_LABEL]: _, ...labels } = labelsOf(route);
  return {
    name,
    namespace: route.metadata.namespace,
    labels: { ...labels, [ROUTE_LABEL]: nameOf(route) },
    annotations: { ...annotationsOf(route) },
    ownerReferences: [controllerRefTo(route)],
  };
}

export interface PlaceholderInput {
  readonly route: Route;
  readonly placeholder: Placeholder;
  readonly ingress: Ingress | undefined;
  /** What it stands for before there is a load balancer. */
  readonly publicHost: string;
}

export function planPlaceholder(input: PlaceholderInput): Step[] {
  const { route, placeholder, ingress, publicHost } = input;
  const { name, service } = placeholder;
  const content = contentFor(balancerOf(ingress, isMarkedPrivate(service)));
  const metadata = metadataFor(route, name);
  if (!service) {
    const what = `placeholder service "${name}"`;
    const announce = { about: route, created: `Created ${what}`, failed: `Failed to create ${what}` };
    const spec = content?.spec ?? externalNameSpec(publicHost);
    const doing = 'failed to create placeholder service';
    return [
      create(Service, typed(Service, { metadata, spec }), { announce, doing }),
      ...planEndpoints(placeholder, metadata, content?.subsets),
    ];
  }
  if (!content) return [];
  return [...planService(service, metadata, content.spec), ...planEndpoints(placeholder, metadata, content.subsets)];
}

function planService(existing: Stored<Service>, metadata: ObjectMeta, spec: ServiceSpec): Step[] {
  if (!canBecome(existing.spec, spec)) {
    const { namespace, name } = existing.metadata;
    return [remove(Service, { namespace, name }), create(Service, typed(Service, { metadata, spec }))];
  }
  const { labels = {}, annotations = {} } = metadata;
  const isSame =
    hasMembers(existing.spec, spec) &&
    includesAll(labelsOf(existing), labels) &&
    includesAll(annotationsOf(existing), annotations);
  if (isSame) return [];
  const wanted = {
    ...existing.metadata,
    labels: { ...existing.metadata.labels, ...labels },
    annotations: { ...existing.metadata.annotations, ...annotations },
  };
  const kept = existing.spec.type === spec.type ? existing.spec : {};
  return [update(Service, { ...existing, metadata: wanted, spec: { ...kept, ...spec } })];
}

/** A Service may stop being an ExternalName; any other change of its type or address takes a new one. */
function canBecome(before: ServiceSpec, after: ServiceSpec): boolean {
  if (before.type !== after.type) return before.type === 'ExternalName';
  if (after.type !== 'ClusterIP') return true;
  return (before.clusterIP === 'None') === (after.clusterIP === 'None');
}

/** The API server adds members of its own; those that are wanted must be there. */
function hasMembers(actual: ServiceSpec, wanted: ServiceSpec): boolean {
  return (Object.keys(wanted) as (keyof ServiceSpec)[]).every((key) => deepEqual(actual[key], wanted[key]));
}

function planEndpoints(
  { name, endpoints }: Placeholder,
  metadata: ObjectMeta,
  subsets: Endpoints['subsets'] | undefined,
): Step[] {
  const ref = { namespace: metadata.namespace, name };
  if (!subsets) return endpoints ? [remove(Endpoints, ref)] : [];
  if (!endpoints) return [create(Endpoints, typed(Endpoints, { metadata, subsets }))];
  return deepEqual(endpoints.subsets, subsets) ? [] : [update(Endpoints, { ...endpoints, subsets })];
}

/** Placeholders of tags that are gone. */
export function planOrphans(services: readonly Stored<Service>[], kept: ReadonlySet<string>): Step[] {
  return services
    .filter((service) => !kept.has(nameOf(service)))
    .map(({ metadata: { namespace, name } }) => remove(Service, { namespace, name }));
}
