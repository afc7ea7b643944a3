/**
 * The platform's bridge. Its address is the first of the pod range and the gateway of every pod; every address of the
 * Service range is one of this machine's own (a local route), so the gateway can listen on any ClusterIP. Both belong
 * to the bridge and go with it.
 */
import { type Cidr, cidrAddress, ipv4Number, parseCidr } from '#base/ip.ts';
import { assert } from '#base/assert.ts';
import { hasCode } from '#sys/errors.ts';
import { addAddress } from '#sys/netlink/address.ts';
import { bringUp, createBridge, findLink } from '#sys/netlink/link.ts';
import { addRoute } from '#sys/netlink/route.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';

export interface BridgeSettings {
  readonly bridge: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

export interface Gateway {
  readonly address: string;
  readonly mac: string;
}

const MTU = 1_500;

/** The bridge's own address: the first of the pod range. */
export function gatewayOf(podCidr: string): Gateway {
  const address = cidrAddress(cidrOf(podCidr), 1);
  return { address, mac: macOf(address) };
}

/** A MAC address that follows from the IP address, so that a reused one is the same again. */
export function macOf(address: string): string {
  const digits = ipv4Number(address).toString(16).padStart(8, '0');
  return ['0a', '58', ...(digits.match(/../g) ?? [])].join(':');
}

/** Makes what is missing of the bridge; answers its index. */
export function ensureBridge(netlink: NetlinkSocket, settings: BridgeSettings): number {
  const { address, mac } = gatewayOf(settings.podCidr);
  const index = findLink(netlink, settings.bridge)?.index ?? makeBridge(netlink, settings.bridge, mac);
  addAddress(netlink, { link: index, address, prefix: cidrOf(settings.podCidr).prefix });
  addRoute(netlink, { destination: cidrOf(settings.serviceCidr), kind: 'local', link: index });
  return index;
}

export function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  assert(cidr, `not an address range: ${text}`);
  return cidr;
}

function makeBridge(netlink: NetlinkSocket, name: string, mac: string): number {
  try {
    createBridge(netlink, { name, mac, mtu: MTU });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const index = findLink(netlink, name)?.index;
  assert(index !== undefined, `the bridge ${name} vanished while it was made`);
  bringUp(netlink, index);
  return index;
}
