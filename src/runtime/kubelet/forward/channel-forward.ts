/**
 * Port-forward over the channels of a WebSocket: the ports stand in the query, and each has a channel for data and one
 * for an error. The first message on either is the port's number, by which a client sees that the channel stands.
 */
import type { Clock } from '#base/clock.ts';
import { badQuery } from '#runtime/kubelet/errors.ts';
import { type ForwardTo, isPort } from '#runtime/kubelet/forward/pod-connection.ts';
import { halvesOf, splice } from '#runtime/kubelet/forward/splice.ts';
import { ChannelSocket } from '#runtime/kubelet/websocket/channel-socket.ts';
import { acceptWebSocket, chooseProtocol, type Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';

/** Channels have numbers of one byte, and two are needed per port. */
const MAX_PORTS = 127;

const FORMATS = {
  'v4.channel.k8s.io': { isBase64: false, hasHalfClose: false },
  'v4.base64.channel.k8s.io': { isBase64: true, hasHalfClose: false },
  '': { isBase64: false, hasHalfClose: false },
} as const;

const NAMES = Object.keys(FORMATS) as (keyof typeof FORMATS)[];

/** The ports of a query, several in one value or in several. Throws a KubeletError. */
export function portsOf(query: URLSearchParams): number[] {
  const values = query.getAll('port');
  if (values.length === 0) throw badQuery('query parameter "port" is required');
  if (values.includes('')) throw badQuery('query parameter "port" cannot be empty');
  const ports = values.flatMap((value) => value.split(','));
  const wrong = ports.find((port) => !isPort(port));
  if (wrong !== undefined) throw badQuery(`unable to parse ${JSON.stringify(wrong)} as a port`);
  if (ports.length > MAX_PORTS) throw badQuery(`at most ${MAX_PORTS} ports can be forwarded`);
  return ports.map(Number);
}

export interface ChannelForward {
  readonly upgrade: Upgrade;
  readonly ports: readonly number[];
  readonly clock: Clock;
}

export async function forwardChannels({ upgrade, ports, clock }: ChannelForward, forward: ForwardTo): Promise<void> {
  const name = chooseProtocol(upgrade.request, NAMES);
  const socket = await acceptWebSocket(upgrade, name);
  const channels = new ChannelSocket({ socket, format: FORMATS[name], clock });
  await Promise.all(ports.map((port, index) => forwardChannel({ channels, port, first: index * 2 }, forward)));
  channels.close();
}

interface Channel {
  readonly channels: ChannelSocket;
  readonly port: number;
  /** Number of the data channel; the error channel follows. */
  readonly first: number;
}

async function forwardChannel({ channels, port, first }: Channel, forward: ForwardTo): Promise<void> {
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  await Promise.all([channels.send(first, number), channels.send(first + 1, number)]);
  const data = { readable: channels.readable(first), writable: channels.writable(first) };
  try {
    const socket = await forward(port, channels.gone);
    await splice(data, halvesOf(socket));
  } catch (error) {
    await channels.send(first + 1, Buffer.from((error as Error).message));
  }
}
