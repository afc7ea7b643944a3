/**
 * Where a registry is spoken to. `https` for every registry but those on this machine (`localhost`, `*.localhost`,
 * loopback addresses) and those configured as insecure: there `https` is tried first, with any certificate, and
 * `http` when the other side does not speak TLS, as Docker and containerd do.
 */
import { BlockList, isIP } from 'node:net';

export interface Endpoint {
  readonly baseUrl: URL;
  readonly certificates: 'verify' | 'any';
}

/** `host[:port]` or an address range such as `10.0.0.0/8`. */
export type InsecureRegistry = string;

/** The endpoints of a registry in the order in which they are tried. */
export function endpointsOf(registry: string, insecure: readonly InsecureRegistry[]): Endpoint[] {
  if (registry === 'docker.io') return [endpoint('https', 'registry-1.docker.io', 'verify')];
  if (!isInsecure(registry, insecure)) return [endpoint('https', registry, 'verify')];
  const port = portOf(registry);
  const plain = endpoint('http', registry, 'any');
  const secure = endpoint('https', registry, 'any');
  if (port === '80') return [plain];
  return port === '443' ? [secure] : [secure, plain];
}

function endpoint(scheme: 'http' | 'https', host: string, certificates: Endpoint['certificates']): Endpoint {
  return { baseUrl: new URL(`${scheme}://${host}/v2/`), certificates };
}

export function isInsecure(registry: string, insecure: readonly InsecureRegistry[]): boolean {
  const host = hostOf(registry);
  return isLoopback(host) || insecure.some((entry) => entry === registry || entry === host || inRange(host, entry));
}

/** `host` without a port. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || inRange(host, '127.0.0.0/8') || host === '::1';
}

function inRange(host: string, range: string): boolean {
  const match = /^(.+)\/(\d+)$/.exec(range);
  const family = isIP(host);
  if (!match?.[1] || family === 0 || isIP(match[1]) !== family) return false;
  const bits = Number(match[2]);
  if (bits > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(match[1], bits, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function portOf(registry: string): string {
  return /:(\d+)$/.exec(registry.replace(/^\[.*\]/, ''))?.[1] ?? '';
}

function hostOf(registry: string): string {
  const bracketed = /^\[(.*)\]/.exec(registry)?.[1];
  return bracketed ?? registry.replace(/:\d+$/, '');
}
