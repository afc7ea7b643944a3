/** Feeds the table builder from the caches: which objects there are, and what their changes touch. */
import { deepEqual } from '#base/json.ts';
import type { Caches } from '#client/caches.ts';
import type { Change } from '#client/cache.ts';
import type { Subscription } from '#client/transport.ts';
import type { LiveConfigs } from '#controller/live-configs.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { keyOf, type KubeObject, labelsOf, nameOf, namespaceOf, type ObjectKey } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Revision } from '#knative/kinds/revision.ts';
import type { GatewaySettings } from '#protocol/routing.ts';
import { gatewayHosts, isOurs } from '#ingress/classes.ts';
import { backendsOf, compileRoutes } from '#ingress/compile-routes.ts';
import { dependencyOn } from '#ingress/compile-target.ts';
import {
  compileRevisionRoutes,
  isRevisionService,
  revisionRoutesKey,
  serviceOfRoutesKey,
} from '#ingress/revision-routes.ts';
import type { SourceRoutes, TableBuilder, TableSource } from '#ingress/table-builder.ts';

const BY_BACKEND = 'backend';
const BY_LABEL = 'label';
const BY_SERVICE = 'service';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export interface ApiSourceOptions {
  readonly caches: Caches;
  readonly configs: LiveConfigs;
  readonly clusterDomain: string;
}

export function createApiSource(options: ApiSourceOptions): TableSource {
  const { caches, configs, clusterDomain } = options;
  declareIndexes(caches);
  const hosts = gatewayHosts(clusterDomain);
  const services = caches.of(Service);
  const revisions = caches.of(Revision);
  return {
    compile: (key) => compileKey(key, options),
    settings: () => settingsOf(configs),
    isGateway: (host) => host === hosts.internal || host === hosts.external,
    service: (namespace, name) => services.byKey(`${namespace}/${name}`),
    pod: (key) => caches.of(Pod).byKey(key),
    revision: (namespace, name) => revisions.byKey(`${namespace}/${name}`),
    pods: (namespace, selector) => podsOf(caches, namespace, selector),
    slices: (namespace, service) => caches.of(EndpointSlice).byIndex(BY_SERVICE, `${namespace}/${service}`),
  };
}

function declareIndexes(caches: Caches): void {
  caches.of(Ingress).addIndex(BY_BACKEND, (ingress) => [...backendsOf(ingress)]);
  caches.of(Pod).addIndex(BY_LABEL, labelValues);
  const serviceName = (slice: EndpointSlice) => labelsOf(slice)[SERVICE_NAME_LABEL] ?? '';
  caches.of(EndpointSlice).addIndex(BY_SERVICE, (slice) => [`${namespaceOf(slice)}/${serviceName(slice)}`]);
}

function labelValues(pod: Pod): string[] {
  return Object.entries(labelsOf(pod)).map(([label, value]) => dependencyOn.pods(namespaceOf(pod), label, value));
}

function podsOf(caches: Caches, namespace: string, selector: Readonly<Record<string, string>>): Pod[] {
  const [first, ...others] = Object.entries(selector);
  if (!first) return [];
  const found = caches.of(Pod).byIndex(BY_LABEL, dependencyOn.pods(namespace, ...first));
  return found.filter((pod) => others.every(([label, value]) => labelsOf(pod)[label] === value));
}

function compileKey(key: string, { caches, configs, clusterDomain }: ApiSourceOptions): SourceRoutes | undefined {
  const services = caches.of(Service);
  const serviceKey = serviceOfRoutesKey(key);
  if (serviceKey !== undefined) {
    const service = services.byKey(serviceKey);
    if (!service || !isRevisionService(service)) return undefined;
    return sourceOf(service, compileRevisionRoutes(service, clusterDomain));
  }
  const ingress = caches.of(Ingress).byKey(key);
  if (!ingress || !isOurs(ingress, configs.current.network.ingressClass)) return undefined;
  return sourceOf(
    ingress,
    compileRoutes(ingress, (namespace, name) => services.byKey(`${namespace}/${name}`)),
  );
}

function sourceOf(object: KubeObject, result: SourceRoutes['result']): SourceRoutes {
  const { generation = 0, creationTimestamp } = object.metadata;
  return { result, generation, createdMs: parseTime(creationTimestamp) ?? 0 };
}

function settingsOf({ current: { features, observability } }: LiveConfigs): GatewaySettings {
  const { enableRequestLog, enableProbeRequestLog, requestLogTemplate } = observability;
  return {
    tagHeaderRouting: features.tagHeaderBasedRouting === 'Enabled',
    requestLogTemplate: enableRequestLog ? (requestLogTemplate?.source ?? '') : '',
    logProbeRequests: enableRequestLog && enableProbeRequestLog,
  };
}

/** Subscribes the builder to all that it is made of; everything that is there counts as changed. */
export function followApi(builder: TableBuilder, { caches, configs }: ApiSourceOptions): Subscription[] {
  const ingresses = caches.of(Ingress);
  const routesTo = (service: ObjectKey) => {
    for (const ingress of ingresses.byIndex(BY_BACKEND, service)) builder.routesChanged(keyOf(ingress));
  };
  const serviceChanged = ({ object, previous }: Change<Service>) => {
    if (isRevisionService(object) || (previous && isRevisionService(previous))) {
      builder.routesChanged(revisionRoutesKey(object));
    }
    routesTo(keyOf(object));
    builder.dependencyChanged(dependencyOn.service(namespaceOf(object), nameOf(object)));
  };
  const podChanged = ({ object, previous }: Change<Pod>) => {
    for (const label of new Set([...labelValues(object), ...(previous ? labelValues(previous) : [])])) {
      builder.dependencyChanged(label);
    }
  };
  const sliceChanged = ({ object }: Change<EndpointSlice>) => {
    const service = labelsOf(object)[SERVICE_NAME_LABEL];
    if (service) builder.dependencyChanged(dependencyOn.slices(namespaceOf(object), service));
  };
  const revisionChanged = ({ object, previous }: Change<Revision>) => {
    // Its status changes with every pod and says nothing of limits.
    if (previous && previous.metadata.uid === object.metadata.uid && deepEqual(labelsOf(previous), labelsOf(object)))
      return;
    builder.dependencyChanged(dependencyOn.revision(namespaceOf(object), nameOf(object)));
  };
  return [
    ingresses.subscribe(({ object }) => builder.routesChanged(keyOf(object))),
    caches.of(Service).subscribe(serviceChanged),
    caches.of(Pod).subscribe(podChanged),
    caches.of(EndpointSlice).subscribe(sliceChanged),
    caches.of(Revision).subscribe(revisionChanged),
    configs.subscribe((changed) => {
      if (changed === 'config-features' || changed === 'config-observability') builder.settingsChanged();
      if (changed === 'config-network') for (const ingress of ingresses.list()) builder.routesChanged(keyOf(ingress));
    }),
  ];
}
