/**
 * Compiles what stands behind one port of one Service. Pure.
 *
 *     public Service of a revision → the pods of its private one, with the revision's limits: one hop, whatever the
 *                                    Endpoints of the public one say
 *     placeholder of a Route       → the gateway itself, matched again
 *     other ExternalName           → that name
 *     Service with a selector      → its pods, seen as they are, without waiting for the endpoints controller
 *     Service without              → its EndpointSlices
 *
 * Every answer names what it depends on, so that a change finds the targets that it concerns.
 */
import { isObject } from '#base/json.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { ServicePort } from '#kube/kinds/core/service-spec.ts';
import type { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import {
  annotationsOf,
  isBeingDeleted,
  keyOf,
  labelsOf,
  nameOf,
  namespaceOf,
  type ObjectKey,
  uidOf,
} from '#kube/object.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import {
  CONFIGURATION_LABEL,
  REVISION_LABEL,
  ROUTE_LABEL,
  SERVICE_LABEL,
  SERVICE_TYPE_LABEL,
  SKS_LABEL,
} from '#knative/labels.ts';
import { privateServiceName } from '#knative/names.ts';
import { LOOPBACK_NETNS_ANNOTATION, type Target, type TargetEndpoint, type TargetRevision } from '#protocol/routing.ts';
import { START_MARKS_ANNOTATION, type StartMarks } from '#protocol/timeline.ts';
import { targetKey } from '#ingress/compile-routes.ts';

/** Most requests that wait for a slot of one revision: the depth of Knative's activator. */
const QUEUE_LIMIT = 10_000;

/** Knative's defaults, for a Revision that was never defaulted. */
const DEFAULT_TIMEOUT_SECONDS = 300;

const MS_PER_S = 1_000;

export interface TargetWorld {
  readonly service: (namespace: string, name: string) => Service | undefined;
  readonly revision: (namespace: string, name: string) => Revision | undefined;
  readonly pod: (key: ObjectKey) => Pod | undefined;
  /** Pods of the namespace that have all of these labels. */
  readonly pods: (namespace: string, selector: Readonly<Record<string, string>>) => readonly Pod[];
  /** Slices of a Service. */
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[];
  readonly isGateway: (host: string) => boolean;
}

export interface TargetName {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

export interface CompiledTarget {
  readonly target: Target;
  /** Something that it consists of does not exist: the Service, the private one behind it, or the Revision. */
  readonly isIncomplete: boolean;
  /** `service NS/NAME`, `revision NS/NAME`, `slices NS/SERVICE`, `pods NS KEY=VALUE`. */
  readonly dependencies: ReadonlySet<string>;
}

export const dependencyOn = {
  service: (namespace: string, name: string) => `service ${namespace}/${name}`,
  revision: (namespace: string, name: string) => `revision ${namespace}/${name}`,
  slices: (namespace: string, service: string) => `slices ${namespace}/${service}`,
  pods: (namespace: string, label: string, value: string) => `pods ${namespace} ${label}=${value}`,
};

export function isAboutPods(dependency: string): boolean {
  return dependency.startsWith('pods ');
}

export function compileTarget(name: TargetName, world: TargetWorld): CompiledTarget {
  return new TargetCompiler(name, world).compile();
}

class TargetCompiler {
  readonly #name: TargetName;
  readonly #world: TargetWorld;
  readonly #dependencies = new Set<string>();
  #isIncomplete = false;

  constructor(name: TargetName, world: TargetWorld) {
    this.#name = name;
    this.#world = world;
  }

  compile(): CompiledTarget {
    const target = this.#target();
    return { target, isIncomplete: this.#isIncomplete, dependencies: this.#dependencies };
  }

  #target(): Target {
    const { namespace, service: serviceName, port } = this.#name;
    const key = targetKey(namespace, serviceName, port);
    const service = this.#service(serviceName);
    if (!service) return { key, protocol: 'http1', endpoints: [] };
    if (service.spec.type === 'ExternalName') return this.#external(key, service);
    const servicePort = service.spec.ports?.find((one) => one.port === port);
    const protocol = isHttp2(servicePort) ? 'h2c' : 'http1';
    const revision = this.#revision(service);
    const endpoints = servicePort ? this.#endpoints(service, servicePort) : [];
    return { key, protocol, ...(revision ? { revision } : {}), endpoints };
  }

  #service(name: string): Service | undefined {
    const { namespace } = this.#name;
    this.#dependencies.add(dependencyOn.service(namespace, name));
    const service = this.#world.service(namespace, name);
    this.#isIncomplete ||= !service;
    return service;
  }

  #external(key: string, service: Service): Target {
    const { externalName = '', ports } = service.spec;
    const isPlaceholder = labelsOf(service)[ROUTE_LABEL] !== undefined;
    if (isPlaceholder || this.#world.isGateway(externalName)) {
      return { key, protocol: 'http1', endpoints: [], reroute: true };
    }
    const { port } = this.#name;
    const endpoint = { id: `name:${externalName}`, pod: '', address: externalName, port, state: 'ready' } as const;
    const protocol = isHttp2(ports?.find((one) => one.port === port)) ? 'h2c' : 'http1';
    return { key, protocol, endpoints: [endpoint] };
  }

  #revision(service: Service): TargetRevision | undefined {
    const name = labelsOf(service)[REVISION_LABEL];
    if (!name || labelsOf(service)[SERVICE_TYPE_LABEL] !== 'Public') return undefined;
    const { namespace } = this.#name;
    this.#dependencies.add(dependencyOn.revision(namespace, name));
    const revision = this.#world.revision(namespace, name);
    this.#isIncomplete ||= !revision;
    return revision && targetRevision(revision);
  }

  #endpoints(service: Service, port: ServicePort): TargetEndpoint[] {
    const sks = labelsOf(service)[SERVICE_TYPE_LABEL] === 'Public' ? labelsOf(service)[SKS_LABEL] : undefined;
    if (sks === undefined) return this.#ownEndpoints(service, port);
    const behind = this.#service(privateServiceName(sks));
    const same = behind?.spec.ports?.find((one) => one.name === port.name);
    return behind && same ? this.#ownEndpoints(behind, same) : [];
  }

  #ownEndpoints(service: Service, port: ServicePort): TargetEndpoint[] {
    const { namespace } = this.#name;
    const selector = service.spec.selector ?? {};
    const [first] = Object.entries(selector);
    if (!first) {
      this.#dependencies.add(dependencyOn.slices(namespace, nameOf(service)));
      const slices = this.#world.slices(namespace, nameOf(service));
      return byId(slices.flatMap((slice) => sliceEndpoints(slice, port)));
    }
    // Any one of the labels finds the pods; all of them are checked.
    this.#dependencies.add(dependencyOn.pods(namespace, ...first));
    return byId(this.#world.pods(namespace, selector).flatMap((pod) => podEndpoint(pod, service, port) ?? []));
  }
}

/** Gateways speak HTTP/2 to a port of one of these names, or of that application protocol. */
function isHttp2(port: ServicePort | undefined): boolean {
  return port?.name === 'http2' || port?.name === 'h2c' || port?.appProtocol === 'kubernetes.io/h2c';
}

function byId(endpoints: TargetEndpoint[]): TargetEndpoint[] {
  return endpoints.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function targetRevision(revision: Revision): TargetRevision {
  const { containerConcurrency, timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds } = revision.spec;
  const labels = labelsOf(revision);
  return {
    namespace: namespaceOf(revision),
    name: nameOf(revision),
    uid: uidOf(revision),
    configuration: labels[CONFIGURATION_LABEL] ?? '',
    service: labels[SERVICE_LABEL] ?? '',
    containerConcurrency: containerConcurrency ?? 0,
    timeoutMs: (timeoutSeconds || DEFAULT_TIMEOUT_SECONDS) * MS_PER_S,
    responseStartTimeoutMs: (responseStartTimeoutSeconds ?? 0) * MS_PER_S,
    idleTimeoutMs: (idleTimeoutSeconds ?? 0) * MS_PER_S,
    queueLimit: QUEUE_LIMIT,
  };
}

/** A pod that is ending keeps its place until it is gone: what it still answers must not count as somebody else's. */
function podEndpoint(pod: Pod, service: Service, port: ServicePort): TargetEndpoint | undefined {
  const { podIP, phase, conditions } = pod.status ?? {};
  const isReady =
    service.spec.publishNotReadyAddresses === true ||
    conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  const isEnding = isBeingDeleted(pod);
  if (!podIP || phase === 'Succeeded' || phase === 'Failed' || (!isReady && !isEnding)) return undefined;
  const number = containerPort(pod, port);
  if (number === undefined) return undefined;
  const loopbackNetns = annotationsOf(pod)[LOOPBACK_NETNS_ANNOTATION];
  const started = startMarks(annotationsOf(pod)[START_MARKS_ANNOTATION]);
  return {
    id: uidOf(pod),
    pod: keyOf(pod),
    address: podIP,
    port: number,
    state: isEnding ? 'draining' : 'ready',
    ...(loopbackNetns ? { loopbackNetns } : {}),
    ...(started ? { started } : {}),
  };
}

function containerPort(pod: Pod, { targetPort, port }: ServicePort): number | undefined {
  if (typeof targetPort !== 'string') return targetPort || port;
  for (const { ports = [] } of pod.spec.containers) {
    const found = ports.find(({ name }) => name === targetPort);
    if (found) return found.containerPort;
  }
  return undefined;
}

function startMarks(text: string | undefined): StartMarks | undefined {
  if (!text) return undefined;
  try {
    const marks: unknown = JSON.parse(text);
    return isObject(marks) ? marks : undefined;
  } catch {
    // The marks only explain how long a start took; a pod without them serves all the same.
    return undefined;
  }
}

function sliceEndpoints(slice: EndpointSlice, { name = '' }: ServicePort): TargetEndpoint[] {
  const port = slice.ports?.find((one) => (one.name ?? '') === name)?.port;
  if (port === undefined) return [];
  return slice.endpoints.flatMap(({ addresses, conditions = {}, targetRef }) => {
    const { ready = true, serving = ready, terminating = false } = conditions;
    if (!ready && !(terminating && serving)) return [];
    const pod = targetRef?.kind === 'Pod' ? `${targetRef.namespace ?? ''}/${targetRef.name ?? ''}` : '';
    return addresses.map((address) => ({
      id: targetRef?.uid ?? `${keyOf(slice)} ${address}`,
      pod,
      address,
      port,
      state: terminating ? ('draining' as const) : ('ready' as const),
    }));
  });
}
