/**
 * The state directory: where everything of one platform lives, and what its processes hand each other.
 *
 *     DIR/config.json      settings that persist: ports, pod and Service ranges, names derived from DIR
 *     DIR/kubeconfig       for clients
 *     DIR/pki/             certificate authority, server and client certificates (0700)
 *     DIR/store/state.db   the durable store
 *     DIR/images/          blobs, unpacked layers, references
 *     DIR/pods/UID/        volumes, writable layers and kept record of one pod
 *     DIR/skeleton/        the lowest layer of every root filesystem
 *     DIR/skeleton-token/  the one above it, where a token is mounted
 *     DIR/pod-logs/        containers' logs, kept for a while after the pod is gone
 *     DIR/log/             our processes' logs
 *     DIR/journal/         decisions and cold starts, bounded
 *     DIR/locks/           who is who
 *     DIR/run/             what does not survive a reboot, in memory (tmpfs): sockets, pids, exit codes, bundles,
 *                          mounted network namespaces
 */
import path from 'node:path';
import { assert } from '#base/assert.ts';
import { cidrAddress, parseCidr } from '#base/ip.ts';
import type { AuditPolicy } from '#kube/audit/policy.ts';

/** What the user may choose on `up`; persisted, so that a restart keeps it. */
export interface PlatformSettings {
  readonly stateDir: string;
  /** First 8 hex digits of a hash over the state directory: bridge, cgroup and address ranges derive from it. */
  readonly instance: string;
  /** Address that the API, HTTP and HTTPS listeners bind; 127.0.0.1 by default. */
  readonly listenAddress: string;
  /** The port asked for (0: any), and the one bound at the last start. */
  readonly apiPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Ports to try in this order when the one asked for is taken, such as `[8080, 0]`; without, that is an error. */
  readonly fallbackPorts?: Partial<Readonly<Record<ListenerName, readonly number[]>>>;
  /** Address of the cluster-local gateway's listener; the bridge's when it is left out. */
  readonly localAddress?: string;
  /** Whether public hosts get a line in /etc/hosts. */
  readonly manageHosts: boolean;
  /** Pods' addresses, such as `10.123.0.0/20`; the first is the bridge's. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly bridge: string;
  /** Below each hierarchy's root: `pinnace-<instance>`. */
  readonly cgroup: string;
  readonly logLevel: string;
  /** Requests are not recorded when it is left out. */
  readonly audit?: AuditSettings;
}

export interface AuditSettings {
  /** A path, or `-` for control's standard output, which is `DIR/log/control.log`. */
  readonly log: string;
  /** Who did what, without bodies, when it is left out. */
  readonly policy?: AuditPolicy;
}

/** Where clients on this machine reach what listens on `address`: every address includes the loopback. */
export function reachableAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

/** Where the API is for whoever is inside the cluster: the first address of the Service range. */
export function apiServiceAddress(serviceCidr: string): string {
  const cidr = parseCidr(serviceCidr);
  assert(cidr, `not an address range: ${serviceCidr}`);
  return cidrAddress(cidr, 1);
}

/** What containers call the API. */
export function apiServiceNames(clusterDomain: string): string[] {
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return [...names, `kubernetes.default.svc.${clusterDomain}`];
}

/** Kernel listeners by name, held by the supervisor and inherited by the processes; `cluster` is the API for pods. */
export type ListenerName = 'api' | 'http' | 'https' | 'local' | 'cluster';

/** `DIR/run/platform.json`: who runs, written by the supervisor on each change, whole and atomically. */
export interface PlatformState {
  readonly version: string;
  readonly bootId: string;
  readonly processes: readonly ProcessState[];
  readonly listeners: readonly ListenerState[];
}

export interface ProcessState {
  readonly name: 'supervisor' | 'control' | 'gateway';
  readonly pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat): with the pid, an identity. */
  readonly startTicks: number;
  /** How often it was started again. */
  readonly restarts: number;
  readonly since: number;
}

export interface ListenerState {
  readonly name: ListenerName;
  readonly address: string;
  readonly port: number;
  /** File descriptor in the process that uses it. */
  readonly fd: number;
  readonly process: 'control' | 'gateway';
}

/** The file descriptors by which each process finds its inherited listeners. */
export const INHERITED_FDS = {
  control: { api: 3, cluster: 8 },
  gateway: { http: 3, https: 4, local: 5 },
} as const;

/** One exit, as a file `DIR/run/exits/PID-TICKS`, written by the supervisor and removed by the node agent. */
export interface ExitRecord {
  readonly pid: number;
  readonly startTicks: number;
  /** 0..255, or absent when a signal ended the process. */
  readonly exitCode?: number | undefined;
  readonly signal?: number | undefined;
  /** ms since the epoch. */
  readonly at: number;
}

export interface StatePaths {
  readonly root: string;
  readonly config: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly store: string;
  readonly images: string;
  readonly pods: string;
  /** Bundles and mount points of containers. */
  readonly bundles: string;
  readonly skeleton: string;
  readonly tokenSkeleton: string;
  readonly netns: string;
  readonly podLogs: string;
  readonly log: string;
  readonly journal: string;
  /** On disk: whoever cannot see `run`, in another mount namespace, sees these all the same. */
  readonly locks: string;
  readonly run: string;
  readonly platformState: string;
  /** Why the supervisor could not start, as JSON with `message` and `cure`; removed by each start. */
  readonly startFailure: string;
  readonly exits: string;
  /** control listens, the gateway connects: `link.ts`. */
  readonly linkSocket: string;
  /** The node agent's kubelet-style endpoint: logs, exec, attach, port-forward. */
  readonly kubeletSocket: string;
  /** The gateway's figures, for control. */
  readonly gatewaySocket: string;
  /** Held open by our processes for as long as they live; closing tells the other side of a death. */
  readonly supervisorSocket: string;
  readonly routingTable: string;
  /** The OCI runtime's own state directory. */
  readonly ociRoot: string;
}

export function statePaths(root: string): StatePaths {
  const at = (...parts: string[]) => path.join(root, ...parts);
  return {
    root,
    config: at('config.json'),
    kubeconfig: at('kubeconfig'),
    pki: at('pki'),
    store: at('store'),
    images: at('images'),
    pods: at('pods'),
    bundles: at('run', 'pods'),
    skeleton: at('skeleton'),
    tokenSkeleton: at('skeleton-token'),
    netns: at('run', 'netns'),
    podLogs: at('pod-logs'),
    log: at('log'),
    journal: at('journal'),
    locks: at('locks'),
    run: at('run'),
    platformState: at('run', 'platform.json'),
    startFailure: at('run', 'start-failure.json'),
    exits: at('run', 'exits'),
    linkSocket: at('run', 'link.sock'),
    kubeletSocket: at('run', 'kubelet.sock'),
    gatewaySocket: at('run', 'gateway.sock'),
    supervisorSocket: at('run', 'supervisor.sock'),
    routingTable: at('run', 'routing.json'),
    ociRoot: at('run', 'oci'),
  };
}
