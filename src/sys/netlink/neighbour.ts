/**
 * Permanent neighbour entries: which MAC address an IP address has, and behind which port of a bridge a MAC address
 * is. With both in place the first packet to a new pod neither asks nor floods, and a reused address cannot meet a
 * stale answer.
 */
import { hasCode } from '#sys/errors.ts';
import { ipv4Bytes } from '#sys/netlink/address.ts';
import { attribute, macBytes, NLM_F_CREATE, NLM_F_REPLACE } from '#sys/netlink/message.ts';
import type { NetlinkSocket } from '#sys/netlink/socket.ts';
import { AF_INET } from '#sys/sockaddr.ts';

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const AF_BRIDGE = 7;
const NUD_NOARP = 0x40;
const NUD_PERMANENT = 0x80;
const NTF_MASTER = 4;

export interface Neighbour {
  /** Index of the interface on which the neighbour is. */
  readonly link: number;
  readonly address: string;
  readonly mac: string;
}

export function setNeighbour(socket: NetlinkSocket, { link, address, mac }: Neighbour): void {
  socket.request({
    what: `set neighbour ${address}`,
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    parts: [
      neighbourBody({ family: AF_INET, link, state: NUD_PERMANENT, flags: 0 }),
      attribute(NDA_DST, ipv4Bytes(address)),
      attribute(NDA_LLADDR, macBytes(mac)),
    ],
  });
}

/** False when there is no such entry. */
export function deleteNeighbour(socket: NetlinkSocket, { link, address }: Omit<Neighbour, 'mac'>): boolean {
  try {
    const body = neighbourBody({ family: AF_INET, link, state: 0, flags: 0 });
    const parts = [body, attribute(NDA_DST, ipv4Bytes(address))];
    socket.request({ what: `delete neighbour ${address}`, type: RTM_DELNEIGH, parts });
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

/** Pins `mac` to a bridge's port; goes with the port. */
export function setBridgePort(socket: NetlinkSocket, { port, mac }: { port: number; mac: string }): void {
  const body = neighbourBody({ family: AF_BRIDGE, link: port, state: NUD_NOARP, flags: NTF_MASTER });
  socket.request({
    what: `set bridge port ${port} of ${mac}`,
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    parts: [body, attribute(NDA_LLADDR, macBytes(mac))],
  });
}

/** struct ndmsg */
function neighbourBody(entry: { family: number; link: number; state: number; flags: number }): Buffer {
  const body = Buffer.alloc(12);
  body.writeUInt8(entry.family, 0);
  body.writeInt32LE(entry.link, 4);
  body.writeUInt16LE(entry.state, 8);
  body.writeUInt8(entry.flags, 10);
  return body;
}
