/** Whether a Service can be accepted, with Kubernetes' field errors in Kubernetes' order. Pure. */
import { deepEqual } from '#base/json.ts';
import {
  child,
  duplicateField,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { ServicePort, ServiceSpec } from '#kube/kinds/core/service-spec.ts';
import { dnsSubdomainProblems, portNumberProblems, qualifiedNameProblems } from '#kube/names.ts';
import { labelErrors } from '#kube/selectors.ts';
import { addressErrors, dnsLabelErrors, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { supportedErrors } from '#apiserver/pod-spec/containers.ts';
import { portErrors } from '#apiserver/pod-spec/probes.ts';
import { invalidLiteral, stringList } from '#apiserver/strategies/literals.ts';
import {
  isHeadless,
  isReachableFromOutside,
  needsAddress,
  needsHealthPort,
} from '#apiserver/strategies/service/defaults.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const AFFINITIES = ['ClientIP', 'None'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const MAX_AFFINITY_SECONDS = 86_400;

export function serviceErrors(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  const hasNoPorts = ports.length === 0 && !isHeadless(spec) && needsAddress(spec);
  return [
    ...(hasNoPorts ? [requiredField('spec.ports')] : []),
    ...typeErrors(spec),
    ...portListErrors(ports),
    ...labelErrors(spec.selector ?? {}, 'spec.selector'),
    ...affinityErrors(spec),
    ...addressFieldErrors(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, position) => addressErrors(index('spec.externalIPs', position), ip)),
    ...supportedErrors('spec.type', spec.type ?? '', TYPES),
    ...nodePortErrors(spec),
    ...repeatedPortErrors(ports),
    ...loadBalancerErrors(spec),
    ...trafficErrors(spec),
  ];
}

export function serviceUpdateErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  return [...addressChangeErrors(spec, old), ...classChangeErrors(spec, old), ...serviceErrors(spec)];
}

function typeErrors(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (!isHeadless(spec)) return [];
    const detail = `may not be set to 'None' for ${spec.type} services`;
    return [invalidField('spec.clusterIPs[0]', 'None', detail)];
  }
  if (spec.type !== 'ExternalName') return [];
  const mustBeAbsent = (['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const).filter((name) => {
    const value = spec[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  return [
    ...mustBeAbsent.map((one) => forbiddenField(child('spec', one), 'may not be set for ExternalName services')),
    ...(name === ''
      ? [requiredField('spec.externalName')]
      : problemsAt('spec.externalName', name, dnsSubdomainProblems(name))),
  ];
}

function portListErrors(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, position) => {
    const path = index('spec.ports', position);
    const { name = '', appProtocol, targetPort = 0 } = port;
    return [
      ...portNameErrors(names, name, { path: child(path, 'name'), isNeeded: ports.length > 1 }),
      ...problemsAt(child(path, 'port'), port.port, portNumberProblems(port.port)),
      ...supportedErrors(child(path, 'protocol'), port.protocol ?? '', PROTOCOLS),
      ...portErrors(targetPort, child(path, 'targetPort')),
      ...(appProtocol === undefined
        ? []
        : problemsAt(child(path, 'appProtocol'), appProtocol, qualifiedNameProblems(appProtocol))),
    ];
  });
}

interface NamePlace {
  readonly path: string;
  readonly isNeeded: boolean;
}

function portNameErrors(names: Set<string>, name: string, { path, isNeeded }: NamePlace): FieldError[] {
  if (name === '') return isNeeded ? [requiredField(path)] : [];
  const errors = dnsLabelErrors(path, name);
  if (names.has(name)) errors.push(duplicateField(path, name));
  names.add(name);
  return errors;
}

function affinityErrors({ sessionAffinity = 'None', sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const errors = supportedErrors('spec.sessionAffinity', sessionAffinity, AFFINITIES);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity !== 'ClientIP') {
    if (!config || sessionAffinity !== 'None') return errors;
    return [...errors, forbiddenField(path, 'must not be set when session affinity is None')];
  }
  const seconds = config?.clientIP?.timeoutSeconds;
  const where = `${path}.clientIP.timeoutSeconds`;
  if (seconds === undefined) return [...errors, requiredField(where, 'when session affinity type is ClientIP')];
  if (seconds > 0 && seconds <= MAX_AFFINITY_SECONDS) return errors;
  return [...errors, invalidField(where, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)];
}

function addressFieldErrors(spec: ServiceSpec): FieldError[] {
  if (!needsAddress(spec)) return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.clusterIPs';
  const errors: FieldError[] = [];
  if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    errors.push(invalidLiteral(path, stringList(clusterIPs), 'first value must match `clusterIP`'));
  }
  if (clusterIP === '' && clusterIPs.length > 0) {
    errors.push(invalidLiteral(path, stringList(clusterIPs), 'must be empty when `clusterIP` is not specified'));
  }
  ipFamilies.forEach((family, position) => {
    const where = index('spec.ipFamilies', position);
    if (!FAMILIES.includes(family)) errors.push(notSupportedField(where, family, FAMILIES));
    if (ipFamilies.indexOf(family) < position) errors.push(duplicateField(where, family));
  });
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy)) {
    errors.push(notSupportedField('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES));
  }
  return [...errors, ...clusterAddressErrors(clusterIPs, path)];
}

function clusterAddressErrors(addresses: readonly string[], path: string): FieldError[] {
  if (addresses[0] === 'None') {
    if (addresses.length === 1) return [];
    return [invalidLiteral(path, stringList(addresses), "'None' must be the first and only value")];
  }
  const errors = addresses.flatMap((address, position) => addressErrors(index(path, position), address));
  if (addresses.length <= 2) return errors;
  return [...errors, invalidLiteral(path, stringList(addresses), 'may only hold up to 2 values')];
}

function nodePortErrors({ type, ports = [] }: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  ports.forEach(({ nodePort, protocol }, position) => {
    if (!nodePort) return;
    const path = child(index('spec.ports', position), 'nodePort');
    if (type === 'ClusterIP') errors.push(forbiddenField(path, "may not be used when `type` is 'ClusterIP'"));
    const key = `${protocol}/${nodePort}`;
    if (seen.has(key)) errors.push(duplicateField(path, nodePort));
    seen.add(key);
  });
  return errors;
}

function repeatedPortErrors(ports: readonly ServicePort[]): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap(({ port, protocol = '' }, position) => {
    const key = `${protocol}/${port}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const members = `Name:"", Protocol:${JSON.stringify(protocol)}, AppProtocol:(*string)(nil), Port:${port}`;
    const literal = `core.ServicePort{${members}, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}`;
    const field = index('spec.ports', position);
    return [{ field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${literal}` } as const];
  });
}

const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

function loadBalancerErrors(spec: ServiceSpec): FieldError[] {
  const { type, loadBalancerSourceRanges: ranges = [], allocateLoadBalancerNodePorts, loadBalancerClass } = spec;
  const errors: FieldError[] = [];
  if (type !== 'LoadBalancer') {
    if (ranges.length > 0) errors.push(forbiddenField('spec.LoadBalancerSourceRanges', ONLY_LOAD_BALANCER));
    if (allocateLoadBalancerNodePorts !== undefined) {
      errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', ONLY_LOAD_BALANCER));
    }
    if (loadBalancerClass !== undefined) errors.push(forbiddenField('spec.loadBalancerClass', ONLY_LOAD_BALANCER));
  } else if (loadBalancerClass !== undefined) {
    errors.push(...problemsAt('spec.loadBalancerClass', loadBalancerClass, qualifiedNameProblems(loadBalancerClass)));
  }
  return errors;
}

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: outside, internalTrafficPolicy: inside, healthCheckNodePort = 0 } = spec;
  const errors: FieldError[] = [];
  if (!isReachableFromOutside(spec)) {
    const detail = 'may only be set for externally-accessible services';
    if (outside) errors.push(invalidField('spec.externalTrafficPolicy', outside, detail));
  } else errors.push(...supportedErrors('spec.externalTrafficPolicy', outside ?? '', TRAFFIC_POLICIES));
  if (!needsHealthPort(spec) && healthCheckNodePort !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidField('spec.healthCheckNodePort', healthCheckNodePort, detail));
  }
  if (inside !== undefined && !TRAFFIC_POLICIES.includes(inside)) {
    errors.push(notSupportedField('spec.internalTrafficPolicy', inside, TRAFFIC_POLICIES));
  }
  const { trafficDistribution } = spec;
  if (trafficDistribution !== undefined && trafficDistribution !== 'PreferClose') {
    errors.push(notSupportedField('spec.trafficDistribution', trafficDistribution, ['PreferClose']));
  }
  return errors;
}

function addressChangeErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (!needsAddress(spec) || !needsAddress(old) || (isHeadless(spec) && isHeadless(old))) return [];
  const { clusterIPs = [] } = spec;
  const before = old.clusterIPs ?? [];
  if (clusterIPs.length === 0 && before.length > 0) {
    return [invalidLiteral('spec.clusterIPs[0]', stringList(undefined), 'primary clusterIP can not be unset')];
  }
  return before.flatMap((address, position) =>
    clusterIPs[position] === address
      ? []
      : [invalidLiteral(index('spec.clusterIPs', position), stringList(clusterIPs), 'may not change once set')],
  );
}

function classChangeErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type !== 'LoadBalancer' || old.type !== 'LoadBalancer') return [];
  if (deepEqual(spec.loadBalancerClass, old.loadBalancerClass)) return [];
  return [invalidField('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set')];
}
