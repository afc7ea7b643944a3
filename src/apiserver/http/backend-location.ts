/**
 * Which program `pods/NAME/proxy` and `services/NAME/proxy` lead to. The name may say scheme and port as well: `name`,
 * `name:port`, `scheme:name:port`. A Service leads to one of its ready pods by its real address and port; to addresses
 * that are no pod's it does not lead at all, so that nobody has the API server speak to places of their choice.
 */
import { formatIp, parseIp } from '#base/ip.ts';
import type { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import { badRequest, serviceUnavailable } from '#kube/status.ts';

export interface BackendLocation {
  readonly scheme: 'http' | 'https';
  readonly address: string;
  readonly port: number;
}

/** Objects of the request's namespace; the first two throw a 404 where there is none. */
export interface BackendLookup {
  pod(name: string): Pod;
  service(name: string): Service;
  findPod(name: string): Pod | undefined;
  findEndpoints(name: string): Endpoints | undefined;
  /** In [0, 1). */
  random(): number;
}

/** Throws a StatusError. */
export function backendLocation(plural: string, id: string, lookup: BackendLookup): BackendLocation {
  return plural === 'pods' ? podLocation(id, lookup) : serviceLocation(id, lookup);
}

function podLocation(id: string, lookup: BackendLookup): BackendLocation {
  const { scheme, name, port } = splitId(id, 'pod');
  const pod = lookup.pod(name);
  const address = pod.status?.podIP ?? '';
  if (!isReachable(address)) throw badRequest('address not allowed');
  const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  const fallback = scheme === 'https' ? 443 : 80;
  return { scheme, address, port: port === '' ? (declared ?? fallback) : portNumber(port) };
}

function serviceLocation(id: string, lookup: BackendLookup): BackendLocation {
  const { scheme, name, port } = splitId(id, 'service');
  const service = lookup.service(name);
  const portName = isInteger(port) ? nameOfPort(service, name, Number(port)) : port;
  const { subsets = [] } = lookup.findEndpoints(name) ?? {};
  if (subsets.length === 0) throw noEndpoints(name);
  const usable = subsets.flatMap(({ addresses = [], ports = [] }) => {
    const pods = addresses.filter((address) => isPod(address, service, lookup));
    const named = ports.filter((one) => (one.name ?? '') === portName);
    return named.flatMap((one) => pods.map((address) => ({ scheme, address: address.ip, port: one.port })));
  });
  const chosen = usable[Math.floor(lookup.random() * usable.length)];
  if (!chosen) throw noEndpoints(id);
  return chosen;
}

function nameOfPort({ spec }: Service, name: string, wanted: number): string {
  const found = spec.ports?.find(({ port }) => port === wanted);
  if (found) return found.name ?? '';
  throw serviceUnavailable(`no service port ${wanted} found for service ${JSON.stringify(name)}`);
}

function noEndpoints(service: string): Error {
  return serviceUnavailable(`no endpoints available for service ${JSON.stringify(service)}`);
}

type Address = NonNullable<NonNullable<Endpoints['subsets']>[number]['addresses']>[number];

function isPod({ ip, targetRef }: Address, service: Service, lookup: BackendLookup): boolean {
  if (targetRef?.name === undefined || targetRef.namespace !== service.metadata.namespace) return false;
  const { podIP, podIPs = [] } = lookup.findPod(targetRef.name)?.status ?? {};
  return (podIP === ip || podIPs.some((one) => one.ip === ip)) && isReachable(ip);
}

function splitId(id: string, what: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const parts = id.split(':');
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts];
  const isValid = parts.length <= 3 && name !== '' && ['http', 'https', ''].includes(scheme ?? '');
  if (!isValid) throw badRequest(`invalid ${what} request ${JSON.stringify(id)}`);
  return { scheme: scheme === 'https' ? 'https' : 'http', name: name ?? '', port: port ?? '' };
}

const isInteger = (text: string) => /^[-+]?\d+$/.test(text);

const MAX_PORT = 65_535;

function portNumber(text: string): number {
  const failed = (why: string) => serviceUnavailable(`error trying to reach service: dial tcp: ${why}`);
  if (!isInteger(text)) throw failed(`lookup tcp/${text}: unknown port`);
  const port = Number(text);
  if (port < 0 || port > MAX_PORT) throw failed(`address ${text}: invalid port`);
  return port;
}

/** Neither this machine's own loopback nor anything that is not one host of a network. */
function isReachable(text: string): boolean {
  const bytes = parseIp(text);
  if (!bytes) return false;
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) {
    const isLinkLocal = first === 169 && second === 254;
    return first !== 0 && first !== 127 && first < 224 && !isLinkLocal;
  }
  const isMulticast = first === 0xff;
  const isLinkLocal = first === 0xfe && (second & 0xc0) === 0x80;
  return !isMulticast && !isLinkLocal && !['::', '::1'].includes(formatIp(bytes));
}
