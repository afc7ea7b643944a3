/**
 * The platform's listening sockets: opened once, held for good, never accepted on here.
 *
 * Every child inherits all of them. Those that it serves are where `INHERITED_FDS` says; the others it merely keeps, so
 * that even when the supervisor and the process that serves a port die at once, the port stays open and connections
 * wait in its backlog for the next to come.
 */
import { closeSync } from 'node:fs';
import { cidrAddress, parseCidr } from '#base/ip.ts';
import {
  apiServiceAddress,
  INHERITED_FDS,
  type ListenerName,
  type ListenerState,
  type PlatformSettings,
  type PlatformState,
} from '#protocol/platform.ts';
import { cannotListen, StartError } from '#supervisor/errors.ts';
import type { Role } from '#supervisor/roles.ts';
import { hasCode } from '#sys/errors.ts';
import { pidfdGetfd, pidfdOf } from '#sys/pidfd.ts';
import type { ProcessIdentity } from '#sys/proc.ts';
import { boundAddress, isListening, listenTcp } from '#sys/socket.ts';

/** In the order in which they are opened: `cluster` may share the port of one that was opened before. */
export const LISTENERS: readonly ListenerName[] = ['api', 'http', 'https', 'local', 'cluster'];

/** What clients inside a cluster expect, then what they are told by their environment. */
const CLUSTER_PORTS = [443, 6443, 0];

/** All listeners of a child by their descriptors: its own first, then the spares. */
export const CHILD_FDS: Readonly<Record<Role, Readonly<Record<ListenerName, number>>>> = {
  control: { ...INHERITED_FDS.control, http: 4, https: 5, local: 6 },
  gateway: { ...INHERITED_FDS.gateway, api: 6, cluster: 8 },
};

export interface ListenerRequest {
  readonly address: string;
  /** Tried in this order; 0 is any that is free. */
  readonly ports: readonly number[];
  /** The address may belong to an interface that does not exist yet. */
  readonly freeBind?: boolean;
  /** Listeners of ours on every address leave this one its port. */
  readonly isBesideOurs?: boolean;
}

export interface Listener {
  readonly name: ListenerName;
  readonly fd: number;
  readonly address: string;
  readonly port: number;
}

export type ListenerRequests = Readonly<Record<ListenerName, ListenerRequest>>;

/** What the settings ask for. A port left to chance is the same as last time, if it is still free. */
export function listenerRequests(settings: PlatformSettings, last: PlatformState | undefined): ListenerRequests {
  const lastPortOf = (name: ListenerName) => last?.listeners.find((listener) => listener.name === name)?.port;
  const request = (name: ListenerName, port: number): ListenerRequest => {
    const lastPort = lastPortOf(name);
    const ports = [port, ...(settings.fallbackPorts?.[name] ?? [])];
    const tried = ports.flatMap((one) => (one === 0 && lastPort !== undefined ? [lastPort, 0] : [one]));
    return { address: settings.listenAddress, ports: tried };
  };
  const local = { ...request('local', 0), address: localAddress(settings), freeBind: true };
  return {
    api: request('api', settings.apiPort),
    http: request('http', settings.httpPort),
    https: request('https', settings.httpsPort),
    local,
    cluster: {
      address: apiServiceAddress(settings.serviceCidr),
      // Containers that run were told the last one.
      ports: [lastPortOf('cluster') ?? [], CLUSTER_PORTS].flat(),
      freeBind: true,
      isBesideOurs: true,
    },
  };
}

function localAddress({ localAddress: chosen, podCidr }: PlatformSettings): string {
  const cidr = parseCidr(podCidr);
  if (chosen !== undefined) return chosen;
  if (!cidr) throw new StartError(`the settings' podCidr is no address range: ${podCidr}`);
  return cidrAddress(cidr, 1);
}

/** Takes each listener back from a living child, or opens it. */
export function obtainListeners(
  requests: ListenerRequests,
  living: ReadonlyMap<Role, ProcessIdentity>,
): readonly Listener[] {
  const listeners: Listener[] = [];
  try {
    for (const name of LISTENERS)
      listeners.push(takeListener(name, living) ?? openListener(name, requests[name], listeners));
    return listeners;
  } catch (error) {
    for (const { fd } of listeners) closeSync(fd);
    throw error;
  }
}

/** Tries the ports in turn; throws what was wrong with the first. */
export function openListener(
  name: ListenerName,
  { address, ports, freeBind, isBesideOurs }: ListenerRequest,
  others: readonly Listener[] = [],
): Listener {
  const beside = isBesideOurs ? others.filter((one) => isEveryAddress(one.address)).map(({ fd }) => fd) : [];
  let failure: StartError | undefined;
  for (const port of ports) {
    try {
      const fd = listenTcp({ address, port, freeBind: freeBind ?? false, beside });
      return { name, fd, address, port: boundAddress(fd)?.port ?? port };
    } catch (error) {
      failure ??= cannotListen(name, { address, port }, error);
      if (!hasCode(error, 'EADDRINUSE', 'EACCES')) throw failure;
    }
  }
  throw failure ?? new StartError(`no port was given for ${name}`);
}

function isEveryAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** A duplicate of the listener that a living child has, be it to serve or to spare. */
function takeListener(name: ListenerName, living: ReadonlyMap<Role, ProcessIdentity>): Listener | undefined {
  for (const [role, identity] of living) {
    const pidfd = pidfdOf(identity);
    if (pidfd === undefined) continue;
    try {
      const taken = takeFrom(pidfd, CHILD_FDS[role][name]);
      if (taken) return { name, ...taken };
    } finally {
      closeSync(pidfd);
    }
  }
  return undefined;
}

function takeFrom(pidfd: number, fd: number): Omit<Listener, 'name'> | undefined {
  let taken: number;
  try {
    taken = pidfdGetfd(pidfd, fd);
  } catch (error) {
    // EPERM: tracing is forbidden to everyone here; then the port is opened anew when its holder is gone.
    if (hasCode(error, 'EBADF', 'ESRCH', 'EPERM')) return undefined;
    throw error;
  }
  const bound = isListening(taken) ? boundAddress(taken) : undefined;
  if (bound) return { fd: taken, ...bound };
  closeSync(taken);
  return undefined;
}

/** The listeners as `platform.json` shows them: each with the process that serves it. */
export function listenerStates(listeners: readonly Listener[]): ListenerState[] {
  return listeners.map(({ name, address, port }) => {
    const server: Role = name in INHERITED_FDS.control ? 'control' : 'gateway';
    return { name, address, port, fd: CHILD_FDS[server][name], process: server };
  });
}
