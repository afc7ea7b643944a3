/**
 * Connects to a port of a pod: at its address and, where nothing listens there, on the loopback of its network
 * namespace, as the kubelet's runtimes do.
 */
import net from 'node:net';
import { isAbort } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import type { Sandbox } from '#runtime/pod/state.ts';
import { connectInNamespace } from '#sys/namespace.ts';

const LOOPBACK = '127.0.0.1';
const CONNECT_TIMEOUT_MS = 10_000;

/** Loopback answers at once or not at all. */
const LOOPBACK_TIMEOUT_MS = 1_000;

const MAX_PORT = 65_535;

/** Connects to a port of one pod. Rejects with the message for the client. */
export type ForwardTo = (port: number, signal: AbortSignal) => Promise<net.Socket>;

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_PORT;
}

export interface PodPort {
  readonly sandbox: Sandbox;
  readonly port: number;
}

/** Half-open: either side may end before the other. Throws an error whose message says what was tried. */
export async function connectToPod({ sandbox, port }: PodPort, clock: Clock, signal: AbortSignal): Promise<net.Socket> {
  try {
    return await connect(sandbox.address, port, { clock, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return connectInside({ sandbox, port }, clock, signal);
  }
}

async function connectInside({ sandbox, port }: PodPort, clock: Clock, signal: AbortSignal): Promise<net.Socket> {
  const { netns } = sandbox;
  try {
    if (netns === undefined) return await connect(LOOPBACK, port, { clock, signal });
    const where = { namespace: netns, address: LOOPBACK, port, timeoutMs: LOOPBACK_TIMEOUT_MS };
    const fd = await connectInNamespace({ ...where, clock }, signal);
    return new net.Socket({ fd, allowHalfOpen: true, readable: true, writable: true });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throw notConnected({ sandbox, port }, error);
  }
}

/** In the words of containerd. */
function notConnected({ sandbox, port }: PodPort, error: unknown): Error {
  const place = JSON.stringify(sandbox.netns ?? 'host');
  const why = `dial tcp4 ${LOOPBACK}:${port}: connect: ${reasonOf(error)}`;
  const message =
    `failed to execute portforward in network namespace ${place}: ` +
    `failed to connect to localhost:${port} inside namespace ${place}, IPv4: ${why}`;
  return new Error(message, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
};

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function connect(host: string, port: number, { clock, signal }: Patience): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = net.connect({ host, port, allowHalfOpen: true, noDelay: true, autoSelectFamily: false });
    const settle = () => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    };
    const giveUp = () => socket.destroy(signal.reason as Error);
    const timer = clock.after(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('connection timed out')));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    socket.once('error', (error) => {
      settle();
      reject(error);
    });
  });
}
