/**
 * IPv4 addresses of interfaces.
 */
import { formatIp, parseIp } from '#base/ip.ts';
import {
  attribute,
  decodeAttributes,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  type NetlinkMessage,
  numberAttribute,
} from '#sys/netlink/message.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';
import { AF_INET } from '#sys/sockaddr.ts';

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const BODY_BYTES = 8;

export interface InterfaceAddress {
  /** Index of the interface. */
  readonly link: number;
  readonly address: string;
  readonly prefix: number;
}

/** Gives an interface an address; having it already is no error. */
export function addAddress(socket: NetlinkSocket, { link, address, prefix }: InterfaceAddress): void {
  const bytes = ipv4Bytes(address);
  socket.request({
    what: `add address ${address}/${prefix}`,
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    parts: [
      addressBody(link, prefix),
      attribute(IFA_LOCAL, bytes),
      attribute(IFA_ADDRESS, bytes),
      numberAttribute(IFA_FLAGS, IFA_F_NODAD),
    ],
  });
}

export function listAddresses(socket: NetlinkSocket): InterfaceAddress[] {
  const parts = [addressBody(0, 0)];
  return socket.dump({ what: 'list addresses', type: RTM_GETADDR, parts }).map(decodeAddress);
}

export function ipv4Bytes(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes?.length !== 4) throw new TypeError(`not an IPv4 address: ${address}`);
  return bytes;
}

/** struct ifaddrmsg */
function addressBody(link: number, prefix: number): Buffer {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(AF_INET, 0);
  body.writeUInt8(prefix, 1);
  body.writeUInt32LE(link, 4);
  return body;
}

function decodeAddress({ payload }: NetlinkMessage): InterfaceAddress {
  const attributes = decodeAttributes(payload.subarray(BODY_BYTES));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? Buffer.alloc(4);
  return { link: payload.readUInt32LE(4), address: formatIp(bytes), prefix: payload.readUInt8(1) };
}
