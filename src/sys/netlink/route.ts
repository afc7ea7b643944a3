/**
 * IPv4 routes: through a gateway, straight to an interface, or local (every address of a range becomes one of this
 * machine's own, "AnyIP").
 */
import { type Cidr, formatCidr, formatIp, ipv4Number, ipv4Text } from '#base/ip.ts';
import { ipv4Bytes } from '#sys/netlink/address.ts';
import {
  attribute,
  decodeAttributes,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  type NetlinkMessage,
  numberAttribute,
  numberOf,
} from '#sys/netlink/message.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';
import { AF_INET } from '#sys/sockaddr.ts';

const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_HOST = 254;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const BODY_BYTES = 12;

export interface Route {
  readonly destination: Cidr;
  readonly kind: 'unicast' | 'local';
  /** Index of the interface. */
  readonly link: number;
  readonly gateway?: string;
}

export interface ListedRoute extends Omit<Route, 'kind' | 'link'> {
  /** `other`: broadcast, blackhole and the like. */
  readonly kind: Route['kind'] | 'other';
  readonly table: number;
  readonly link: number | undefined;
}

/** The route to everything. */
export const ANYWHERE: Cidr = { base: 0, prefix: 0 };

/** Adds a route; one for the same range is replaced. A local one goes when its interface does. */
export function addRoute(socket: NetlinkSocket, route: Route): void {
  const what = `add route ${formatCidr(route.destination)}`;
  socket.request({ what, type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, parts: routeParts(route) });
}

/** The routes of all tables. */
export function listRoutes(socket: NetlinkSocket): ListedRoute[] {
  const parts = [routeBody({ prefix: 0, table: 0, scope: 0, type: 0, protocol: 0 })];
  return socket.dump({ what: 'list routes', type: RTM_GETROUTE, parts }).map(decodeRoute);
}

function routeParts({ destination, kind, link, gateway }: Route): Buffer[] {
  const isLocal = kind === 'local';
  const near = gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  const body = routeBody({
    prefix: destination.prefix,
    table: isLocal ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
    scope: isLocal ? RT_SCOPE_HOST : near,
    type: isLocal ? RTN_LOCAL : RTN_UNICAST,
    protocol: RTPROT_STATIC,
  });
  return [
    body,
    ...(destination.prefix === 0 ? [] : [attribute(RTA_DST, ipv4Bytes(ipv4Text(destination.base)))]),
    numberAttribute(RTA_OIF, link),
    ...(gateway === undefined ? [] : [attribute(RTA_GATEWAY, ipv4Bytes(gateway))]),
  ];
}

interface RouteBody {
  readonly prefix: number;
  readonly table: number;
  readonly scope: number;
  readonly type: number;
  readonly protocol: number;
}

/** struct rtmsg */
function routeBody({ prefix, table, scope, type, protocol }: RouteBody): Buffer {
  return Buffer.from([AF_INET, prefix, 0, 0, table, protocol, scope, type, 0, 0, 0, 0]);
}

function decodeRoute({ payload }: NetlinkMessage): ListedRoute {
  const attributes = decodeAttributes(payload.subarray(BODY_BYTES));
  const destination = attributes.get(RTA_DST);
  const gateway = attributes.get(RTA_GATEWAY);
  const type = payload.readUInt8(7);
  return {
    destination: { base: destination ? ipv4Number(formatIp(destination)) : 0, prefix: payload.readUInt8(1) },
    kind: type === RTN_LOCAL ? 'local' : type === RTN_UNICAST ? 'unicast' : 'other',
    table: numberOf(attributes.get(RTA_TABLE)) ?? payload.readUInt8(4),
    link: numberOf(attributes.get(RTA_OIF)),
    ...(gateway ? { gateway: formatIp(gateway) } : {}),
  };
}
