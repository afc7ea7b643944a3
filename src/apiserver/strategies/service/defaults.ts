/** What a Service says when it says nothing, and what it loses when its type changes. Pure. */
import { deepEqual } from '#base/json.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { ServiceSpec } from '#kube/kinds/core/service-spec.ts';

const AFFINITY_SECONDS = 10_800;

const HEADLESS = 'None';

export function needsAddress({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}

export function needsNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

export function needsHealthPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

export function isHeadless({ clusterIP, clusterIPs }: ServiceSpec): boolean {
  return clusterIP === HEADLESS || clusterIPs?.[0] === HEADLESS;
}

export function isReachableFromOutside(spec: ServiceSpec): boolean {
  return needsNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
}

export function setServiceDefaults({ spec, status }: Service): void {
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (isReachableFromOutside(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (needsAddress(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

/** `clusterIP` and the first of `clusterIPs` are two names of one thing; a client may know only one of them. */
export function alignAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  const { clusterIP, clusterIPs } = spec;
  if (!old) {
    if (clusterIP && clusterIPs === undefined) spec.clusterIPs = [clusterIP];
    return;
  }
  const isSame = clusterIP === old.clusterIP;
  const isSameList = deepEqual(clusterIPs ?? [], old.clusterIPs ?? []);
  if (!isSame && isSameList) {
    if (clusterIP) spec.clusterIPs = [clusterIP, ...(clusterIPs ?? []).slice(1)];
    else delete spec.clusterIPs;
  }
}

/** An update that says nothing of what was allocated keeps it. */
export function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsAddress(old) && needsAddress(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.clusterIP && old.clusterIPs) {
      spec.clusterIPs = [...old.clusterIPs];
    }
    if (old.ipFamilies) spec.ipFamilies ??= [...old.ipFamilies];
    if (old.ipFamilyPolicy) spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) keepNodePorts(spec, old);
  if (needsHealthPort(old) && needsHealthPort(spec) && old.healthCheckNodePort) {
    spec.healthCheckNodePort ??= old.healthCheckNodePort;
  }
}

function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const taken = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const before = old.ports?.find((one) => one.port === port.port && one.protocol === port.protocol);
    if (before?.nodePort && !taken.has(before.nodePort)) port.nodePort = before.nodePort;
  }
}

/** Fields that only the old type had go with it, unless the update set them to something new. */
export function dropForType(spec: ServiceSpec, old: ServiceSpec): void {
  const same = (name: keyof ServiceSpec) => deepEqual(spec[name], old[name]);
  if (needsAddress(old) && !needsAddress(spec)) {
    if (same('clusterIP') && same('clusterIPs')) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (same('ipFamilies')) delete spec.ipFamilies;
    if (same('ipFamilyPolicy')) delete spec.ipFamilyPolicy;
    if (same('internalTrafficPolicy')) delete spec.internalTrafficPolicy;
  }
  if (needsNodePorts(old) && !needsNodePorts(spec) && hasNoNewNodePort(spec, old)) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthPort(old) && !needsHealthPort(spec) && same('healthCheckNodePort')) delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) delete spec.allocateLoadBalancerNodePorts;
    if (same('loadBalancerClass')) delete spec.loadBalancerClass;
  }
  if (isReachableFromOutside(old) && !isReachableFromOutside(spec) && same('externalTrafficPolicy')) {
    delete spec.externalTrafficPolicy;
  }
}

function hasNoNewNodePort(spec: ServiceSpec, old: ServiceSpec): boolean {
  const before = new Set((old.ports ?? []).map(({ nodePort }) => nodePort));
  return (spec.ports ?? []).every(({ nodePort }) => !nodePort || before.has(nodePort));
}
