/**
 * Network interfaces: bridges, veth pairs, and what can be set on any of them.
 */
import { openSync, closeSync } from 'node:fs';
import { hasCode } from '#sys/errors.ts';
import {
  attribute,
  byteAttribute,
  decodeAttributes,
  macBytes,
  macText,
  nested,
  NLM_F_CREATE,
  NLM_F_EXCL,
  type NetlinkMessage,
  numberAttribute,
  numberOf,
  textAttribute,
  textOf,
} from '#sys/netlink/message.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BR_STP_STATE = 5;
const IFLA_BR_MCAST_SNOOPING = 23;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_MODE_NONE = 1;
const VETH_INFO_PEER = 1;
const AF_INET6 = 10;
const IFF_UP = 1;

/** The kernel's limit for an interface's name, without the NUL. */
export const MAX_LINK_NAME = 15;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly mac: string;
  readonly mtu: number;
  /** Index of the bridge that it is a port of. */
  readonly master: number | undefined;
  /** `bridge`, `veth` and so on; empty for hardware and loopback. */
  readonly kind: string;
}

export interface LinkSettings {
  readonly isUp?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Index of a bridge. */
  readonly master?: number;
  readonly name?: string;
  /** Where the namespace to move to is mounted, or /proc/PID/ns/net. */
  readonly namespace?: string;
}

export interface BridgeOptions {
  readonly name: string;
  /** A fixed one; a bridge without takes over its ports' and so changes. */
  readonly mac: string;
  readonly mtu: number;
}

/** Makes a bridge, down, without spanning tree and multicast snooping. EEXIST when the name is taken. */
export function createBridge(socket: NetlinkSocket, { name, mac, mtu }: BridgeOptions): void {
  const data = nested(IFLA_INFO_DATA, numberAttribute(IFLA_BR_STP_STATE, 0), byteAttribute(IFLA_BR_MCAST_SNOOPING, 0));
  socket.request({
    what: `add bridge ${name}`,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    parts: [
      linkBody({}),
      ...nameAndAddress({ name, mac, mtu }),
      nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, 'bridge'), data),
    ],
  });
}

export interface VethEnd {
  readonly name: string;
  readonly mac?: string;
  readonly mtu: number;
}

export interface VethOptions extends VethEnd {
  /** Index of the bridge that the near end becomes a port of. */
  readonly master?: number;
  /** The far end, made in that namespace. */
  readonly peer: VethEnd & { readonly namespace?: string };
}

/** Makes a pair of interfaces, both down, with one request. EEXIST when a name is taken. */
export function createVeth(socket: NetlinkSocket, { peer, master, ...near }: VethOptions): void {
  withNamespace(peer.namespace, (namespaceParts) => {
    const far = [linkBody({}), ...nameAndAddress(peer), ...oneQueue(), ...namespaceParts];
    const peerInfo = nested(VETH_INFO_PEER, ...far);
    socket.request({
      what: `add veth ${near.name}`,
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      parts: [
        linkBody({}),
        ...nameAndAddress(near),
        ...oneQueue(),
        ...(master === undefined ? [] : [numberAttribute(IFLA_MASTER, master)]),
        nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, 'veth'), nested(IFLA_INFO_DATA, peerInfo)),
      ],
    });
  });
}

export function setLink(socket: NetlinkSocket, index: number, settings: LinkSettings): void {
  withNamespace(settings.namespace, (namespaceParts) => {
    const { master } = settings;
    socket.request({
      what: `set link ${index}`,
      type: RTM_NEWLINK,
      parts: [
        linkBody({ index, ...(settings.isUp === undefined ? {} : { isUp: settings.isUp }) }),
        ...nameAndAddress(settings),
        ...(master === undefined ? [] : [numberAttribute(IFLA_MASTER, master)]),
        ...namespaceParts,
      ],
    });
  });
}

/**
 * Brings a link up without an fe80:: address: nobody would use it, and checking that it is unique sends packets for
 * seconds. The kernel takes the wish only from a link that exists and is down.
 */
export function bringUp(socket: NetlinkSocket, index: number): void {
  const mode = byteAttribute(IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
  const parts = [linkBody({ index }), nested(IFLA_AF_SPEC, nested(AF_INET6, mode))];
  try {
    socket.request({ what: `set link ${index}`, type: RTM_NEWLINK, parts });
  } catch (error) {
    // A kernel without IPv6 gives no such address either.
    if (!hasCode(error, 'EAFNOSUPPORT', 'EOPNOTSUPP')) throw error;
  }
  setLink(socket, index, { isUp: true });
}

/** Removes a link, and with a veth its other end. False when it is not there. */
export function deleteLink(socket: NetlinkSocket, index: number): boolean {
  try {
    socket.request({ what: `delete link ${index}`, type: RTM_DELLINK, parts: [linkBody({ index })] });
    return true;
  } catch (error) {
    if (hasCode(error, 'ENODEV')) return false;
    throw error;
  }
}

export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  try {
    const parts = [linkBody({}), textAttribute(IFLA_IFNAME, name)];
    return decodeLink(socket.get({ what: `get link ${name}`, type: RTM_GETLINK, parts }));
  } catch (error) {
    if (hasCode(error, 'ENODEV')) return undefined;
    throw error;
  }
}

export function listLinks(socket: NetlinkSocket): Link[] {
  return socket.dump({ what: 'list links', type: RTM_GETLINK, parts: [linkBody({})] }).map(decodeLink);
}

/** struct ifinfomsg; without `isUp` the state stays as it is. */
function linkBody({ index = 0, isUp }: { index?: number; isUp?: boolean }): Buffer {
  const body = Buffer.alloc(16);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(isUp ? IFF_UP : 0, 8);
  body.writeUInt32LE(isUp === undefined ? 0 : IFF_UP, 12);
  return body;
}

function nameAndAddress({ name, mac, mtu }: { name?: string; mac?: string; mtu?: number }): Buffer[] {
  return [
    ...(name === undefined ? [] : [textAttribute(IFLA_IFNAME, name)]),
    ...(mac === undefined ? [] : [attribute(IFLA_ADDRESS, macBytes(mac))]),
    ...(mtu === undefined ? [] : [numberAttribute(IFLA_MTU, mtu)]),
  ];
}

/** A queue per processor is the default and costs memory that a pod's traffic never earns back. */
function oneQueue(): Buffer[] {
  return [numberAttribute(IFLA_NUM_TX_QUEUES, 1), numberAttribute(IFLA_NUM_RX_QUEUES, 1)];
}

function withNamespace(file: string | undefined, use: (parts: Buffer[]) => void): void {
  if (file === undefined) return use([]);
  const namespace = openSync(file, 'r');
  try {
    use([numberAttribute(IFLA_NET_NS_FD, namespace)]);
  } finally {
    closeSync(namespace);
  }
}

function decodeLink({ payload }: NetlinkMessage): Link {
  const attributes = decodeAttributes(payload.subarray(16));
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0));
  return {
    index: payload.readInt32LE(4),
    name: textOf(attributes.get(IFLA_IFNAME)),
    isUp: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    mac: macText(attributes.get(IFLA_ADDRESS)),
    mtu: numberOf(attributes.get(IFLA_MTU)) ?? 0,
    master: numberOf(attributes.get(IFLA_MASTER)),
    kind: textOf(info.get(IFLA_INFO_KIND)),
  };
}
