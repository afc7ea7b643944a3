/**
 * Removes everything that a platform has on the machine's network: namespaces, interfaces, bridge, and with the
 * bridge its addresses, routes and neighbours. Asks nobody and remembers nothing: works by names alone, so also after
 * everything was killed. The pods' processes must be gone, or their namespaces live on without a network.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { removeNetworkNamespace } from '#sys/namespace.ts';
import { deleteLink, type Link, listLinks } from '#sys/netlink/link.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';

export interface NetworkCleanup {
  readonly bridge: string;
  readonly netnsDir: string;
  readonly clock: Clock;
}

export interface RemovedNetwork {
  readonly namespaces: number;
  readonly links: number;
}

/** How long the kernel is given to remove interfaces with their namespaces, which it does far faster than we could. */
const TEARDOWN_WAIT_MS = 1_000;
const TEARDOWN_POLL_MS = 5;

export async function removeNetwork(options: NetworkCleanup, signal: AbortSignal): Promise<RemovedNetwork> {
  using netlink = new NetlinkSocket();
  const links = linksOf(netlink, options.bridge);
  const namespaces = removeNamespaces(options.netnsDir);
  await untilGone(netlink, options, signal);
  for (const { index } of linksOf(netlink, options.bridge)) deleteLink(netlink, index);
  return { namespaces, links: links.length };
}

function removeNamespaces(netnsDir: string): number {
  if (!existsSync(netnsDir)) return 0;
  const names = readdirSync(netnsDir);
  for (const name of names) removeNetworkNamespace(path.join(netnsDir, name));
  rmdirSync(netnsDir);
  return names.length;
}

/** The bridge comes last, so that its ports are still its own when they go. */
function linksOf(netlink: NetlinkSocket, bridge: string): Link[] {
  const links = listLinks(netlink);
  return [...links.filter(({ name }) => name.startsWith(`${bridge}-`)), ...links.filter(({ name }) => name === bridge)];
}

async function untilGone(netlink: NetlinkSocket, { bridge, clock }: NetworkCleanup, signal: AbortSignal) {
  const deadline = clock.monotonicMs() + TEARDOWN_WAIT_MS;
  while (linksOf(netlink, bridge).some(({ name }) => name !== bridge) && clock.monotonicMs() < deadline) {
    await clock.sleep(TEARDOWN_POLL_MS, signal);
  }
}
