/**
 * IP addresses and ranges: text, bytes and numbers. IPv6 is read and written only as far as sockets need it
 * (no zone indexes); ranges and arithmetic are IPv4.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 range; `base` is the network address as an unsigned number. */
export interface Cidr {
  readonly base: number;
  readonly prefix: number;
}

/** Four or sixteen bytes, or undefined when `text` is no address. */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  return isIPv6(text) && !text.includes('%') ? parseIpv6(text) : undefined;
}

function parseIpv6(text: string): Uint8Array {
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 16 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...zeros, ...after]);
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The text of four or sixteen bytes; IPv6 with its longest run of zero groups shortened. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  const plain = words.map((word) => word.toString(16)).join(':');
  const runs = plain.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  if (longest === undefined) return plain;
  return plain.replace(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`), '::').replace(/:{3,}/, '::');
}

/** An IPv4 address as an unsigned number; throws on anything else, since callers have checked. */
export function ipv4Number(text: string): number {
  if (!isIPv4(text)) throw new TypeError(`not an IPv4 address: ${text}`);
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}

/** Reads `10.0.0.0/8`; host bits are dropped. Undefined when it is no IPv4 range. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const [, address = '', length = ''] = match ?? [];
  const prefix = Number(length);
  if (!isIPv4(address) || prefix > 32) return undefined;
  return { base: networkOf(ipv4Number(address), prefix), prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${ipv4Text(cidr.base)}/${cidr.prefix}`;
}

/** How many addresses the range has. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - cidr.prefix);
}

/** The address at `offset` from the range's start. */
export function cidrAddress(cidr: Cidr, offset: number): string {
  return ipv4Text(cidr.base + offset);
}

export function cidrContains(cidr: Cidr, address: string): boolean {
  return networkOf(ipv4Number(address), cidr.prefix) === cidr.base;
}

export function cidrsOverlap(left: Cidr, right: Cidr): boolean {
  const prefix = Math.min(left.prefix, right.prefix);
  return networkOf(left.base, prefix) === networkOf(right.base, prefix);
}

function networkOf(number: number, prefix: number): number {
  const size = 2 ** (32 - prefix);
  return Math.floor(number / size) * size;
}
