/**
 * Opens connections to a pod's ports for probes: by the pod's address and, when that refuses and the pod belongs to a
 * Revision, from inside its network namespace, where an application may listen on loopback only (with Knative a
 * sidecar dials loopback, so such applications work there).
 */
import net from 'node:net';
import type { Clock } from '#base/clock.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { connectInNamespace } from '#sys/namespace.ts';

const LOOPBACK = '127.0.0.1';

/** Loopback answers at once or not at all. */
const LOOPBACK_TIMEOUT_MS = 100;

/** Looking inside costs more than a refused connection: only every so many refusals. */
const REFUSALS_PER_LOOK = 8;

export interface PodConnector {
  connect(port: number, host: string, signal: AbortSignal): Promise<net.Socket>;
  /** Whether the last connection was made from inside. */
  readonly usesLoopback: boolean;
}

/** @param netns where to look inside; undefined when only the address counts. */
export function podConnector(netns: string | undefined, clock: Clock): PodConnector {
  let refusals = 0;
  let usesLoopback = false;
  return {
    get usesLoopback() {
      return usesLoopback;
    },
    async connect(port, host, signal) {
      try {
        const socket = await connectTcp(host, port, signal);
        usesLoopback = false;
        return socket;
      } catch (error) {
        refusals += 1;
        if (netns === undefined || !isRefused(error) || (!usesLoopback && refusals % REFUSALS_PER_LOOK !== 0))
          throw error;
        const fd = await connectInNamespace(
          { namespace: netns, address: LOOPBACK, port, clock, timeoutMs: LOOPBACK_TIMEOUT_MS },
          signal,
        );
        try {
          // It may have begun to listen, on every address, since the first attempt.
          const socket = await connectTcp(host, port, signal);
          closeDescriptor(fd);
          usesLoopback = false;
          return socket;
        } catch (second) {
          if (!isRefused(second)) {
            closeDescriptor(fd);
            throw second;
          }
          usesLoopback = true;
          const inside = new net.Socket({ fd, readable: true, writable: true });
          inside.on('error', () => inside.destroy());
          return inside;
        }
      }
    },
  };
}

function isRefused(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

function connectTcp(host: string, port: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = net.connect({ host, port, noDelay: true, autoSelectFamily: false });
    const stop = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.once('connect', () => {
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    socket.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      reject(error);
    });
  });
}
