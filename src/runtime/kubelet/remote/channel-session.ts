/** Exec and attach over the channels of a WebSocket. */
import type { IncomingMessage } from 'node:http';
import { encodeOutcome, type Outcome, type StatusForm } from '#runtime/kubelet/remote/outcome.ts';
import { Resizes } from '#runtime/kubelet/remote/resizes.ts';
import type { RemoteRequest, RemoteSession } from '#runtime/kubelet/remote/session.ts';
import { type ChannelFormat, ChannelSocket } from '#runtime/kubelet/websocket/channel-socket.ts';
import { acceptWebSocket, chooseProtocol, isWebSocket } from '#runtime/kubelet/websocket/upgrade.ts';
import type { WindowSize } from '#sys/pty.ts';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

interface Protocol extends ChannelFormat {
  readonly status: StatusForm;
}

const PROTOCOLS = {
  'v5.channel.k8s.io': { isBase64: false, hasHalfClose: true, status: 'v5' },
  'v4.channel.k8s.io': { isBase64: false, hasHalfClose: false, status: 'v4' },
  'v4.base64.channel.k8s.io': { isBase64: true, hasHalfClose: false, status: 'v4' },
  'channel.k8s.io': { isBase64: false, hasHalfClose: false, status: 'text' },
  'base64.channel.k8s.io': { isBase64: true, hasHalfClose: false, status: 'text' },
  '': { isBase64: false, hasHalfClose: false, status: 'text' },
} as const satisfies Record<string, Protocol>;

const NAMES = Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[];

const NOTHING = Buffer.alloc(0);

/** The form of kubectl from 1.31 on; wherever a client names it, it is spoken. */
export function isVersion5(request: IncomingMessage): boolean {
  const names = request.headers['sec-websocket-protocol'] ?? '';
  return isWebSocket(request) && names.split(',').some((name) => name.trim() === 'v5.channel.k8s.io');
}

export async function openChannelSession({ upgrade, options, clock }: RemoteRequest): Promise<RemoteSession> {
  const name = isVersion5(upgrade.request) ? 'v5.channel.k8s.io' : chooseProtocol(upgrade.request, NAMES);
  const protocol = PROTOCOLS[name];
  const socket = await acceptWebSocket(upgrade, name);
  const channels = new ChannelSocket({ socket, format: protocol, clock });
  const resizes = new Resizes();
  channels.readable(CHANNEL.resize).on('data', (chunk: Buffer) => resizes.feed(chunk));
  const session = {
    stdin: options.stdin ? channels.readable(CHANNEL.stdin) : undefined,
    stdout: options.stdout ? channels.writable(CHANNEL.stdout) : undefined,
    stderr: options.stderr ? channels.writable(CHANNEL.stderr) : undefined,
    gone: channels.gone,
    onResize: (listener: (size: WindowSize) => void) => resizes.listen(listener),
    async finish(outcome: Outcome) {
      const status = encodeOutcome(outcome, protocol.status);
      if (status.length > 0) await channels.send(CHANNEL.error, status);
      channels.close();
    },
  };
  if (name !== 'v5.channel.k8s.io') void channels.send(firstOutput(options), NOTHING);
  return session;
}

/**
 * Where an empty message tells an old client that the connection stands. kubectl, which speaks the fifth version, needs
 * none, and when it comes before it has made its streams says `Unknown stream id 1, discarding message`.
 */
function firstOutput({ stdout, stderr }: RemoteRequest['options']): number {
  if (stdout) return CHANNEL.stdout;
  return stderr ? CHANNEL.stderr : CHANNEL.error;
}
