/**
 * The objects that a platform has from its first second: system namespaces, the API's own Service, the gateway under
 * the names that guides and clients of Knative read, and one Pod per process of ours. Pure.
 *
 * The Pods are an honest picture: one per process, a container per component that lives in it, with the process's
 * own start time and restart count. They are mirrors; nothing starts or stops through them.
 */
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { ContainerStatus } from '#kube/kinds/core/pod-status.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { typed } from '#kube/kind.ts';
import { formatTime } from '#kube/time.ts';
import type { ProcessState } from '#protocol/platform.ts';

export const SYSTEM_NAMESPACE = 'knative-serving';
const GATEWAY_NAMESPACE = 'kourier-system';
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', SYSTEM_NAMESPACE, GATEWAY_NAMESPACE];

/** Which components live in which process. */
const COMPONENTS: Readonly<Record<ProcessState['name'], readonly string[]>> = {
  supervisor: ['supervisor'],
  control: ['apiserver', 'controller', 'autoscaler', 'webhook', 'net-kourier-controller', 'node-agent'],
  gateway: ['gateway', 'activator'],
};

export interface Address {
  readonly address: string;
  readonly port: number;
}

export interface SystemFacts {
  readonly version: string;
  readonly nodeName: string;
  /** Where clients on this machine reach each listener. */
  readonly api: Address;
  readonly http: Address;
  readonly https: Address;
  /** The cluster-local listener of the gateway. */
  readonly local: Address;
  /** The API inside the cluster. */
  readonly cluster: Address;
}

export function systemNamespaces(): Namespace[] {
  return NAMESPACES.map((name) => typed(Namespace, { metadata: { name, labels: labelsOfNamespace(name) }, spec: {} }));
}

function labelsOfNamespace(name: string): Record<string, string> {
  return name === SYSTEM_NAMESPACE ? { 'app.kubernetes.io/name': 'knative-serving' } : {};
}

export interface ApiService {
  readonly service: Service;
  readonly endpoints: Endpoints;
  /** In the place of those that others' Endpoints are mirrored to. */
  readonly slice: EndpointSlice;
}

/** `default/kubernetes`: its address and port are those at which the API listens for containers, without a detour. */
export function apiService({ cluster: { address, port } }: SystemFacts): ApiService {
  const metadata = {
    namespace: 'default',
    name: 'kubernetes',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  };
  const spec = {
    type: 'ClusterIP' as const,
    clusterIP: address,
    ports: [{ name: 'https', port, protocol: 'TCP' as const, targetPort: port }],
  };
  const ports = [{ name: 'https', port, protocol: 'TCP' as const }];
  const subsets = [{ addresses: [{ ip: address }], ports }];
  const label = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
  return {
    service: typed(Service, { metadata, spec }),
    endpoints: typed(Endpoints, { metadata: { namespace: 'default', name: 'kubernetes', labels: label }, subsets }),
    slice: typed(EndpointSlice, {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports,
    }),
  };
}

/** `kourier` and `kourier-internal`: the gateway as Knative's own ingress is called. */
export function gatewayServices({
  http,
  https,
  local,
}: SystemFacts): { service: Service; endpoints: Endpoints; loadBalancer?: string }[] {
  const port = (name: string, number: number, target: number) => ({
    name,
    port: number,
    protocol: 'TCP' as const,
    targetPort: target,
  });
  const at = (name: string) => ({
    namespace: GATEWAY_NAMESPACE,
    name,
    labels: { 'app.kubernetes.io/component': 'net-kourier' },
  });
  const ports = [
    { ...port('http2', 80, http.port), nodePort: http.port },
    { ...port('https', 443, https.port), nodePort: https.port },
  ];
  return [
    {
      service: typed(Service, { metadata: at('kourier'), spec: { type: 'LoadBalancer', ports } }),
      endpoints: endpointsOf(at('kourier'), http.address, [
        ['http2', http.port],
        ['https', https.port],
      ]),
      loadBalancer: http.address,
    },
    {
      service: typed(Service, {
        metadata: at('kourier-internal'),
        spec: { type: 'ClusterIP', ports: [port('http2', 80, local.port)] },
      }),
      endpoints: endpointsOf(at('kourier-internal'), local.address, [['http2', local.port]]),
    },
  ];
}

function endpointsOf(
  metadata: Endpoints['metadata'],
  ip: string,
  ports: readonly [name: string, port: number][],
): Endpoints {
  const subset = {
    addresses: [{ ip }],
    ports: ports.map(([name, port]) => ({ name, port, protocol: 'TCP' as const })),
  };
  return typed(Endpoints, { metadata, subsets: [subset] });
}

/** The Pod that stands for one of our processes. */
export function componentPod(process: ProcessState, { version, nodeName, api }: SystemFacts): Pod {
  const components = COMPONENTS[process.name];
  const name = `pinnace-${process.name}`;
  const image = `pinnace:${version}`;
  return typed(Pod, {
    metadata: {
      namespace: SYSTEM_NAMESPACE,
      name,
      labels: { app: name, 'app.kubernetes.io/name': 'pinnace', 'app.kubernetes.io/version': version },
      annotations: {
        [MIRROR_ANNOTATION]: `${process.pid}-${process.startTicks}`,
        'pinnace.dev/pid': String(process.pid),
      },
    },
    spec: {
      nodeName,
      hostNetwork: true,
      automountServiceAccountToken: false,
      containers: components.map((component) => ({ name: component, image, imagePullPolicy: 'Never' as const })),
    },
    status: {
      phase: 'Running',
      hostIP: api.address,
      podIP: api.address,
      podIPs: [{ ip: api.address }],
      startTime: formatTime(process.since),
      qosClass: 'BestEffort',
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: formatTime(process.since),
      })),
      containerStatuses: components.map((component) => statusOf(component, image, process)),
    },
  });
}

function statusOf(name: string, image: string, process: ProcessState): ContainerStatus {
  const running = { startedAt: formatTime(process.since) };
  return { name, image, imageID: '', ready: true, started: true, restartCount: process.restarts, state: { running } };
}
