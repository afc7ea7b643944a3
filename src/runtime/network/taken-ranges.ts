/**
 * What the machine's routes and addresses say is in use, and a lock under which to look and then take.
 *
 * The lock is on the machine's network namespace itself (an flock on /proc/self/ns/net), so it needs no file of its
 * own and holds between all platforms that could collide, and only those.
 */
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { type Cidr, ipv4Number } from '#base/ip.ts';
import { tryLock } from '#sys/fs.ts';
import { listAddresses } from '#sys/netlink/address.ts';
import { findLink } from '#sys/netlink/link.ts';
import { listRoutes } from '#sys/netlink/route.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';

const LOCK_POLL_MS = 5;

/** The ranges that are routed or assigned here, except through `bridge`; the default route takes nothing. */
export function takenRanges(netlink: NetlinkSocket, bridge: string): Cidr[] {
  const own = findLink(netlink, bridge)?.index;
  const routes = listRoutes(netlink).filter(({ link }) => own === undefined || link !== own);
  const addresses = listAddresses(netlink).filter(({ link }) => link !== own);
  return [
    ...routes.map(({ destination }) => destination).filter(({ prefix }) => prefix > 0),
    ...addresses.map(({ address }) => ({ base: ipv4Number(address), prefix: 32 })),
  ];
}

/** Runs `use` while no other platform of this machine looks for ranges or makes its bridge. */
export async function withNetworkLock<T>(
  use: () => T | Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  const fd = openSync('/proc/self/ns/net', 'r');
  try {
    while (!tryLock(fd)) await clock.sleep(LOCK_POLL_MS, signal);
    return await use();
  } finally {
    closeSync(fd);
  }
}
