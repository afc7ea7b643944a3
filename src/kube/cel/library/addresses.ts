/** IP addresses, ranges and URLs, as Kubernetes' libraries for CEL have them. */
import { isIPv4, isIPv6 } from 'node:net';
import { formatIp, parseIp } from '#base/ip.ts';
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { ArrayList, EntryMap, OpaqueValue, type Value } from '#kube/cel/values.ts';
import { parseRequestUrl, type RequestUrl } from '#kube/go-url.ts';

class IpValue extends OpaqueValue {
  readonly typeName = 'net.IP';
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }

  override get size(): number {
    return this.bytes.length;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && Buffer.compare(this.bytes, other.bytes) === 0;
  }
}

class CidrValue extends OpaqueValue {
  readonly typeName = 'net.CIDR';
  readonly bytes: Uint8Array;
  readonly length: number;

  constructor(bytes: Uint8Array, length: number) {
    super();
    this.bytes = bytes;
    this.length = length;
  }

  override get size(): number {
    return Math.ceil(this.length / 8);
  }

  equals(other: OpaqueValue): boolean {
    const isSameLength = other instanceof CidrValue && this.length === other.length;
    return isSameLength && Buffer.compare(this.bytes, other.bytes) === 0;
  }
}

class UrlValue extends OpaqueValue {
  readonly typeName = 'kubernetes.URL';
  readonly url: RequestUrl;

  constructor(url: RequestUrl) {
    super();
    this.url = url;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && JSON.stringify(this.url) === JSON.stringify(other.url);
  }
}

/** An address in its usual form, or why it is none. */
function readIp(text: string): Uint8Array | string {
  const failed = `IP Address ${JSON.stringify(text)} parse error during conversion from string`;
  if (text.includes('%')) return `IP address ${JSON.stringify(text)} with zone value is not allowed`;
  const bytes = isIPv4(text) || isIPv6(text) ? parseIp(text) : undefined;
  if (bytes === undefined) return `${failed}: ParseAddr(${JSON.stringify(text)}): unable to parse IP`;
  return isMapped(bytes) ? `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed` : bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.subarray(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 0xff));
}

function ip(text: string): IpValue {
  const bytes = readIp(text);
  if (typeof bytes === 'string') throw new CelFailure(bytes);
  return new IpValue(bytes);
}

function readCidr(text: string): CidrValue | string {
  const failed = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)})`;
  const [, address = '', length = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bytes = length === '' ? undefined : readIp(address);
  if (bytes === undefined) return `${failed}: no '/'`;
  if (typeof bytes === 'string') return bytes.includes('mapped') ? bytes : `${failed}: ${bytes}`;
  return Number(length) > bytes.length * 8
    ? `${failed}: prefix length out of range`
    : new CidrValue(bytes, Number(length));
}

function cidr(text: string): CidrValue {
  const found = readCidr(text);
  if (typeof found === 'string') throw new CelFailure(found);
  return found;
}

function masked({ bytes, length }: CidrValue): CidrValue {
  const kept = bytes.map((byte, at) => {
    const bits = Math.max(0, Math.min(8, length - at * 8));
    return byte & (0xff << (8 - bits));
  });
  return new CidrValue(kept, length);
}

function containsIp(range: CidrValue, bytes: Uint8Array): boolean {
  if (bytes.length !== range.bytes.length) return false;
  return masked(range).equals(masked(new CidrValue(bytes, range.length)));
}

function containsCidr(range: CidrValue, other: CidrValue): boolean {
  return other.length >= range.length && containsIp(range, masked(other).bytes);
}

type Test = (bytes: Uint8Array) => boolean;

const first = (bytes: Uint8Array) => bytes[0] ?? 0;
const second = (bytes: Uint8Array) => bytes[1] ?? 0;
const isV4: Test = (bytes) => bytes.length === 4;
const isUnspecified: Test = (bytes) => bytes.every((byte) => byte === 0);
const isLoopback: Test = (bytes) => {
  return isV4(bytes) ? first(bytes) === 127 : bytes.every((byte, at) => byte === (at === 15 ? 1 : 0));
};
const isLinkLocalMulticast: Test = (bytes) => {
  if (isV4(bytes)) return first(bytes) === 224 && second(bytes) === 0 && bytes[2] === 0;
  return first(bytes) === 0xff && (second(bytes) & 0x0f) === 0x02;
};
const isLinkLocalUnicast: Test = (bytes) => {
  if (isV4(bytes)) return first(bytes) === 169 && second(bytes) === 254;
  return first(bytes) === 0xfe && (second(bytes) & 0xc0) === 0x80;
};
const isMulticast: Test = (bytes) => (isV4(bytes) ? (first(bytes) & 0xf0) === 0xe0 : first(bytes) === 0xff);
const isBroadcast: Test = (bytes) => isV4(bytes) && bytes.every((byte) => byte === 255);
const isGlobalUnicast: Test = (bytes) => {
  return ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((test) => test(bytes));
};

function test(id: string, name: string, holds: Test): Overload {
  return overload(id, `.${name}(Ip): bool`, ([value]) => holds((value as IpValue).bytes));
}

const IPS: readonly Overload[] = [
  overload('string_to_ip', 'ip(string): Ip', ([text]) => ip(text as string)),
  overload('is_ip', 'isIP(string): bool', ([text]) => typeof readIp(text as string) !== 'string'),
  overload('ip_to_string', 'string(Ip): string', ([value]) => formatIp((value as IpValue).bytes)),
  overload('ip_is_canonical', 'ip.isCanonical(string): bool', ([text]) => formatIp(ip(text as string).bytes) === text),
  overload('ip_family', '.family(Ip): int', ([value]) => (isV4((value as IpValue).bytes) ? 4n : 6n)),
  test('ip_is_unspecified', 'isUnspecified', isUnspecified),
  test('ip_is_loopback', 'isLoopback', isLoopback),
  test('ip_is_link_local_multicast', 'isLinkLocalMulticast', isLinkLocalMulticast),
  test('ip_is_link_local_unicast', 'isLinkLocalUnicast', isLinkLocalUnicast),
  test('ip_is_global_unicast', 'isGlobalUnicast', isGlobalUnicast),
];

const CIDRS: readonly Overload[] = [
  overload('string_to_cidr', 'cidr(string): Cidr', ([text]) => cidr(text as string)),
  overload('is_cidr', 'isCIDR(string): bool', ([text]) => typeof readCidr(text as string) !== 'string'),
  overload('cidr_to_string', 'string(Cidr): string', ([value]) => {
    const { bytes, length } = value as CidrValue;
    return `${formatIp(bytes)}/${length}`;
  }),
  overload('cidr_contains_ip_string', '.containsIP(Cidr, string): bool', ([range, text]) => {
    return containsIp(range as CidrValue, ip(text as string).bytes);
  }),
  overload('cidr_contains_ip_ip', '.containsIP(Cidr, Ip): bool', ([range, other]) => {
    return containsIp(range as CidrValue, (other as IpValue).bytes);
  }),
  overload('cidr_contains_cidr_string', '.containsCIDR(Cidr, string): bool', ([range, text]) => {
    return containsCidr(range as CidrValue, cidr(text as string));
  }),
  overload('cidr_contains_cidr', '.containsCIDR(Cidr, Cidr): bool', ([range, other]) => {
    return containsCidr(range as CidrValue, other as CidrValue);
  }),
  overload('cidr_ip', '.ip(Cidr): Ip', ([range]) => new IpValue((range as CidrValue).bytes)),
  overload('cidr_prefix_length', '.prefixLength(Cidr): int', ([range]) => BigInt((range as CidrValue).length)),
  overload('cidr_masked', '.masked(Cidr): Cidr', ([range]) => masked(range as CidrValue)),
];

function url(text: string): UrlValue {
  const parsed = parseRequestUrl(text);
  if (parsed) return new UrlValue(parsed);
  const reason = `parse ${JSON.stringify(text)}: invalid URI for request`;
  throw new CelFailure(`URL parse error during conversion from string: ${reason}`);
}

/** Values under each name of a query, in order. */
function queryOf({ query }: RequestUrl): Value {
  const lists = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) lists.set(name, [...(lists.get(name) ?? []), value]);
  const map = new EntryMap();
  for (const [name, values] of lists) map.insert(name, new ArrayList(values));
  return map;
}

function part(id: string, name: string, read: (url: RequestUrl) => string): Overload {
  return overload(id, `.${name}(Url): string`, ([value]) => read((value as UrlValue).url));
}

const URLS: readonly Overload[] = [
  overload('string_to_url', 'url(string): Url', ([text]) => url(text as string)),
  overload('is_url_string', 'isURL(string): bool', ([text]) => parseRequestUrl(text as string) !== undefined),
  part('url_get_scheme', 'getScheme', ({ scheme }) => scheme),
  part('url_get_host', 'getHost', ({ host }) => host),
  part('url_get_hostname', 'getHostname', ({ hostname }) => hostname),
  part('url_get_port', 'getPort', ({ port }) => port),
  part('url_get_escaped_path', 'getEscapedPath', ({ escapedPath }) => escapedPath),
  overload('url_get_query', '.getQuery(Url): map(string, list(string))', ([value]) => queryOf((value as UrlValue).url)),
];

export const ADDRESSES: readonly Overload[] = [...IPS, ...CIDRS, ...URLS];
