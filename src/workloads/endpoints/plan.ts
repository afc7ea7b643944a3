/**
 * The addresses behind a Service, from the pods that its selector picks: as Endpoints subsets and as slices. Pure.
 */
import type { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset } from '#kube/kinds/core/endpoints-subset.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { ServicePort } from '#kube/kinds/core/service-spec.ts';
import type { Endpoint, EndpointPort as SlicePort } from '#kube/kinds/discovery/endpoint.ts';
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf } from '#kube/object.ts';
import { isPodFinished, isPodReady } from '#workloads/pods.ts';

/** Most endpoints in one slice, as Kubernetes has it. */
const MAX_ENDPOINTS_PER_SLICE = 100;

export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** Endpoints and slices are made only for Services that select pods. */
export function selectsPods({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0;
}

export function isSelected(service: Service, pod: Pod): boolean {
  const labels = labelsOf(pod);
  return Object.entries(service.spec.selector ?? {}).every(([key, value]) => labels[key] === value);
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

/** The number behind a Service's port in one pod; undefined when the pod has no port of that name. */
function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  for (const container of pod.spec.containers) {
    const found = container.ports?.find(
      (one) => one.name === target && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

function isReadyFor(service: Service, pod: Pod): boolean {
  return isPodReady(pod) || service.spec.publishNotReadyAddresses === true;
}

/** Subsets in the canonical order: grouped by ports, addresses by IP. */
export function planSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  for (const pod of pods) {
    if (!pod.status?.podIP || isBeingDeleted(pod) || isPodFinished(pod)) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    (isReadyFor(service, pod) ? group.ready : group.notReady).push(addressOf(pod));
    groups.set(key, group);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group));
}

function subsetOf({
  ports,
  ready,
  notReady,
}: {
  ports: EndpointPort[];
  ready: EndpointAddress[];
  notReady: EndpointAddress[];
}): EndpointSubset {
  const subset: EndpointSubset = {};
  if (ready.length > 0) subset.addresses = ready.sort(byIp);
  if (notReady.length > 0) subset.notReadyAddresses = notReady.sort(byIp);
  if (ports.length > 0) subset.ports = ports;
  return subset;
}

function byIp(left: EndpointAddress, right: EndpointAddress): number {
  return left.ip < right.ip ? -1 : 1;
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(pod, port);
    if (number === undefined) return [];
    const { name, protocol = 'TCP', appProtocol } = port;
    return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

function addressOf(pod: Pod): EndpointAddress {
  const targetRef = { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: pod.metadata.uid };
  return { ip: pod.status?.podIP ?? '', nodeName: pod.spec.nodeName, targetRef };
}

export interface SliceContent {
  readonly endpoints: Endpoint[];
  readonly ports: SlicePort[];
}

/** The same pods as slices, ending pods included with their conditions. */
export function planSlices(service: Service, pods: readonly Pod[]): SliceContent[] {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!pod.status?.podIP || isPodFinished(pod)) continue;
    const ports = portsOf(service, pod).map((port) => ({ name: '', ...port }));
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod));
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ ports, endpoints }) =>
    chunks(endpoints).map((chunk) => ({ endpoints: chunk, ports })),
  );
}

function endpointOf(service: Service, pod: Pod): Endpoint {
  const terminating = isBeingDeleted(pod);
  const serving = isReadyFor(service, pod);
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: serving && !terminating, serving, terminating },
    nodeName: pod.spec.nodeName,
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: pod.metadata.uid },
  };
}

/** Slices that mirror Endpoints which somebody wrote for a Service without a selector. */
export function mirrorSlices(endpoints: Endpoints): SliceContent[] {
  return (endpoints.subsets ?? []).flatMap((subset) => {
    const ports = (subset.ports ?? []).map((port): SlicePort => ({ name: '', protocol: 'TCP', ...port }));
    const all = [
      ...(subset.addresses ?? []).map((address) => mirrored(address, 'ready')),
      ...(subset.notReadyAddresses ?? []).map((address) => mirrored(address, 'not-ready')),
    ];
    return chunks(all).map((chunk) => ({ endpoints: chunk, ports }));
  });
}

/** What is about the Endpoints object itself, and says nothing of a slice. */
const UNMIRRORED = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
];

/** Annotations of Endpoints are those of the slices that mirror them; absent where there are none. */
export function mirroredAnnotations(endpoints: Endpoints): Record<string, string> | undefined {
  const kept = Object.entries(annotationsOf(endpoints)).filter(([name]) => !UNMIRRORED.includes(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function mirrored({ ip, nodeName, hostname, targetRef }: EndpointAddress, state: 'ready' | 'not-ready'): Endpoint {
  return { addresses: [ip], conditions: { ready: state === 'ready' }, nodeName, hostname, targetRef };
}

function chunks<T>(list: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < list.length; start += MAX_ENDPOINTS_PER_SLICE) {
    result.push(list.slice(start, start + MAX_ENDPOINTS_PER_SLICE));
  }
  return result;
}
