/**
 * One pod's network: a namespace with loopback and `eth0`, whose other end is a port of the bridge.
 *
 * Neighbour entries are permanent on both sides and the bridge knows the port, so the first packet goes straight
 * through and a reused address works at once. As Kubernetes' runtimes do by default, any user of the pod may open
 * ports below 1024 and ping.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { cidrAddress, ipv4Number } from '#base/ip.ts';
import { assert } from '#base/assert.ts';
import { type BridgeSettings, cidrOf, ensureBridge, gatewayOf, macOf } from '#runtime/network/bridge.ts';
import { createNetworkNamespace, removeNetworkNamespace } from '#sys/namespace.ts';
import { addAddress } from '#sys/netlink/address.ts';
import { bringUp, createVeth, findLink, setLink } from '#sys/netlink/link.ts';
import { deleteNeighbour, setBridgePort, setNeighbour } from '#sys/netlink/neighbour.ts';
import { addRoute, ANYWHERE } from '#sys/netlink/route.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';

export interface PodNetwork {
  readonly address: string;
  readonly mac: string;
  /** Where the namespace is mounted. */
  readonly namespace: string;
  /** The host's end of the pair. */
  readonly hostLink: string;
}

export interface PodNetworkSettings extends BridgeSettings {
  /** `DIR/run/netns` */
  readonly netnsDir: string;
}

const MTU = 1_500;
const INTERFACE = 'eth0';

const POD_SYSCTLS = [
  ['/proc/sys/net/ipv4/ip_unprivileged_port_start', '0'],
  ['/proc/sys/net/ipv4/ping_group_range', '0 2147483647'],
] as const;

/** What the pod with the `offset`th address of the range has; pure. */
export function podNetworkAt({ podCidr, bridge, netnsDir }: PodNetworkSettings, offset: number): PodNetwork {
  const address = cidrAddress(cidrOf(podCidr), offset);
  return {
    address,
    mac: macOf(address),
    namespace: path.join(netnsDir, address),
    hostLink: `${bridge}-${offset.toString(16)}`,
  };
}

/** Where in the range an address is. */
export function offsetOf(podCidr: string, address: string): number {
  return ipv4Number(address) - cidrOf(podCidr).base;
}

/**
 * Makes the namespace and joins it to the bridge, which is made too if it is missing. EEXIST when the namespace or an
 * interface of an earlier pod with this address is still there. Takes the kernel milliseconds: not for a main thread.
 */
export function makePodNetwork(settings: PodNetworkSettings, pod: PodNetwork): void {
  using host = new NetlinkSocket();
  const bridge = findLink(host, settings.bridge)?.index ?? ensureBridge(host, settings);
  createNetworkNamespace(pod.namespace, () => {
    for (const [file, value] of POD_SYSCTLS) writeFileSync(file, value);
    const peer = { name: INTERFACE, mac: pod.mac, mtu: MTU, namespace: pod.namespace };
    createVeth(host, { name: pod.hostLink, mtu: MTU, master: bridge, peer });
    using inside = new NetlinkSocket();
    configureInside(inside, settings.podCidr, pod);
    attach(host, bridge, pod);
  });
}

/** Joins an existing namespace to the bridge again, in case the bridge was made anew. False when its link is gone. */
export function reattachPodNetwork(settings: PodNetworkSettings, pod: PodNetwork): boolean {
  using host = new NetlinkSocket();
  if (!findLink(host, pod.hostLink)) return false;
  attach(host, ensureBridge(host, settings), pod);
  return true;
}

/** The namespace goes as soon as no process is in it, and takes the pair of interfaces along, in the kernel's time. */
export function removePodNetwork({ bridge }: PodNetworkSettings, pod: PodNetwork): void {
  using host = new NetlinkSocket();
  const link = findLink(host, bridge)?.index;
  if (link !== undefined) deleteNeighbour(host, { link, address: pod.address });
  removeNetworkNamespace(pod.namespace);
}

function configureInside(inside: NetlinkSocket, podCidr: string, { address }: PodNetwork): void {
  const gateway = gatewayOf(podCidr);
  setLink(inside, indexOf(inside, 'lo'), { isUp: true });
  const link = indexOf(inside, INTERFACE);
  bringUp(inside, link);
  addAddress(inside, { link, address, prefix: cidrOf(podCidr).prefix });
  addRoute(inside, { destination: ANYWHERE, kind: 'unicast', link, gateway: gateway.address });
  setNeighbour(inside, { link, ...gateway });
}

function attach(host: NetlinkSocket, bridge: number, { address, mac, hostLink }: PodNetwork): void {
  const port = indexOf(host, hostLink);
  setLink(host, port, { master: bridge });
  bringUp(host, port);
  setNeighbour(host, { link: bridge, address, mac });
  setBridgePort(host, { port, mac });
}

function indexOf(netlink: NetlinkSocket, name: string): number {
  const index = findLink(netlink, name)?.index;
  assert(index !== undefined, `the interface ${name} vanished while it was set up`);
  return index;
}
