/**
 * Socket addresses in the kernel's layout.
 */
import { formatIp, parseIp } from '#base/ip.ts';

export const AF_INET = 2;
const AF_INET6 = 10;

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** sockaddr_in or sockaddr_in6; throws on text that is no address, since names are not resolved here. */
export function encodeSocketAddress({ address, port }: SocketAddress): Buffer {
  const ip = parseIp(address);
  if (!ip) throw new TypeError(`not an IP address: ${address}`);
  const bytes = Buffer.alloc(ip.length === 4 ? 16 : 28);
  bytes.writeUInt16LE(ip.length === 4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip, ip.length === 4 ? 4 : 8);
  return bytes;
}

/** Undefined for another family. */
export function decodeSocketAddress(bytes: Buffer): SocketAddress | undefined {
  const family = bytes.readUInt16LE(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const ip = family === AF_INET ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  return { address: formatIp(ip), port: bytes.readUInt16BE(2) };
}

export function familyOf(address: string): number {
  return address.includes(':') ? AF_INET6 : AF_INET;
}
