/**
 * Network namespaces.
 *
 * A thread is in exactly one. `withNetworkNamespace` enters another for the length of one synchronous function (10 µs
 * there and back) and comes back; nothing else of this thread runs meanwhile, and other threads are not
 * touched. What is made inside (a socket) stays inside for good. If coming back fails, the process aborts: every
 * later socket would land in the wrong place.
 *
 * Making a namespace takes the kernel half a millisecond, and tens of them while others are being torn down, so it
 * belongs to a worker thread.
 */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { SystemError } from '#sys/errors.ts';
import { bind, check, closeDescriptor } from '#sys/libc.ts';
import { bindMount, unmount } from '#sys/mount.ts';
import { POLL_OUT, pollNow } from '#sys/poll.ts';
import type { SocketAddress } from '#sys/sockaddr.ts';
import { beginConnect, connectError, tcpSocket } from '#sys/socket.ts';

const CLONE_NEWNET = 0x40000000;
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

/** How often a connection attempt that did not end at once is looked at. On loopback attempts end at once. */
const CONNECT_POLL_MS = 1;

const libc = bind({
  setns: { return: 'i32', arguments: ['i32', 'i32'] },
  unshare: { return: 'i32', arguments: ['i32'] },
});

/** Runs `inside` with the calling thread in the namespace mounted at `file`. It must not wait for anything. */
export function withNetworkNamespace<T>(file: string, inside: () => T): T {
  const namespace = openSync(file, 'r');
  try {
    return comingBack(() => {
      check(libc.setns(namespace, CLONE_NEWNET), 'setns', file);
      return inside();
    });
  } finally {
    closeSync(namespace);
  }
}

/**
 * Makes a namespace that lives on as a mount at `file` (which must not exist), and runs `inside` there. When either
 * fails nothing is left.
 */
export function createNetworkNamespace<T>(file: string, inside: () => T): T {
  writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  try {
    return comingBack(() => {
      check(libc.unshare(CLONE_NEWNET), 'unshare', file);
      bindMount(OWN_NAMESPACE, file);
      return inside();
    });
  } catch (error) {
    removeNetworkNamespace(file);
    throw error;
  }
}

/** Unmounts and removes `file`; the namespace itself goes when the last process and socket in it do. */
export function removeNetworkNamespace(file: string): void {
  while (unmount(file));
  rmSync(file, { force: true });
}

/** Runs `journey`, which may leave the thread's namespace, and returns to it. */
function comingBack<T>(journey: () => T): T {
  const home = openSync(OWN_NAMESPACE, 'r');
  try {
    return journey();
  } finally {
    if (libc.setns(home, CLONE_NEWNET) < 0) process.abort();
    closeSync(home);
  }
}

export interface NamespaceConnect extends SocketAddress {
  /** Where the namespace is mounted, or /proc/PID/ns/net. */
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Connects from inside a namespace, as a process there would; answers a connected, non-blocking, close-on-exec
 * descriptor for `new net.Socket({ fd })`. Throws ECONNREFUSED, ETIMEDOUT and the like, or the signal's reason.
 */
export async function connectInNamespace(options: NamespaceConnect, signal: AbortSignal): Promise<number> {
  const { namespace, clock, timeoutMs } = options;
  const fd = withNetworkNamespace(namespace, () => tcpSocket(options.address));
  try {
    beginConnect(fd, options);
    const deadline = clock.monotonicMs() + timeoutMs;
    while (pollNow(fd, POLL_OUT) === 0) {
      if (clock.monotonicMs() >= deadline) throw connectFailure(constants.errno.ETIMEDOUT, options);
      await clock.sleep(CONNECT_POLL_MS, signal);
    }
    const failure = connectError(fd);
    if (failure !== 0) throw connectFailure(failure, options);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

function connectFailure(errno: number, { address, port }: SocketAddress): SystemError {
  return new SystemError(errno, 'connect', `${address}:${port}`);
}
