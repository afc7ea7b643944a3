/**
 * What the gateway serves: routes (which host and path go where) and targets (which pods stand behind a Service).
 *
 * The control plane compiles them from Ingress objects, Services, Endpoints and Revisions; the gateway swaps them
 * in whole, one version at a time, and acknowledges the version once every worker serves it. All of it is plain
 * JSON, so that the last table survives on disk and a gateway can start while control is away.
 */
import type { StartMarks } from '#protocol/timeline.ts';

/** `external` hosts are served on every listener, `local` ones only on the cluster-local listener. */
export type Visibility = 'external' | 'local';

/** One Ingress object, compiled. */
export interface RouteSet {
  /** `namespace/name` of the Ingress. */
  readonly key: string;
  /** Answered to readiness probes that ask which version of the Ingress is served (facts: 10). */
  readonly hash: string;
  /** `redirect`: plain HTTP on the external listener is answered 301 to https. */
  readonly httpOption: 'enabled' | 'redirect';
  readonly rules: readonly RouteRule[];
}

export interface RouteRule {
  /** Lower case, without ports. */
  readonly hosts: readonly string[];
  readonly visibility: Visibility;
  /** In the order of matching: the first whose prefix and headers match wins; already sorted by the compiler. */
  readonly paths: readonly RoutePath[];
}

export interface RoutePath {
  /** Prefix of the path; empty matches all. */
  readonly prefix: string;
  /** Header name (lower case) → exact value; all must match. */
  readonly headers: Readonly<Record<string, string>>;
  /** Replaces Host upstream. */
  readonly rewriteHost?: string | undefined;
  /** Set on the request, replacing what the client sent under the name. */
  readonly appendHeaders: Readonly<Record<string, string>>;
  readonly splits: readonly RouteSplit[];
}

export interface RouteSplit {
  /** `Target.key` */
  readonly target: string;
  /** 1..100; the splits of a path sum to 100. */
  readonly percent: number;
  readonly appendHeaders: Readonly<Record<string, string>>;
}

/** What stands behind one port of one Service. */
export interface Target {
  /** `namespace/service:port` */
  readonly key: string;
  readonly protocol: 'http1' | 'h2c';
  /** Present when the Service fronts a Revision: its limits hold, and requests wait while it has no endpoint. */
  readonly revision?: TargetRevision | undefined;
  readonly endpoints: readonly TargetEndpoint[];
  /**
   * Set when the Service is an ExternalName of the gateway itself (the placeholder of a Route, which a DomainMapping
   * points to): the request is matched again, as cluster-local, by its rewritten Host.
   */
  readonly reroute?: boolean | undefined;
}

export interface TargetRevision {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly configuration: string;
  /** Empty when the Configuration stands alone. */
  readonly service: string;
  /** 0: unlimited. */
  readonly containerConcurrency: number;
  /** Limit for the first byte of the response to be written, ms from the arrival of the request. */
  readonly timeoutMs: number;
  /** The same with its own limit; 0: none. */
  readonly responseStartTimeoutMs: number;
  /** Longest time without a byte written to the client; 0: none. */
  readonly idleTimeoutMs: number;
  /** Most requests that may wait for a slot, over all pods. */
  readonly queueLimit: number;
}

/**
 * Set by the node agent on a pod whose application listens on its loopback only; the value is the path of the network
 * namespace to connect from.
 */
export const LOOPBACK_NETNS_ANNOTATION = 'pinnace.dev/loopback-netns';

export interface TargetEndpoint {
  /** UID of the pod: the identity of its concurrency slots. */
  readonly id: string;
  /** `namespace/name` of the pod, for people. */
  readonly pod: string;
  readonly address: string;
  readonly port: number;
  /** `draining`: no new request is sent; those that run end in peace. */
  readonly state: 'ready' | 'draining';
  /** Set when the application listens on its loopback only: the network namespace to connect from. */
  readonly loopbackNetns?: string | undefined;
  /** When this pod was started for a waiting request, step by step. */
  readonly started?: StartMarks | undefined;
}

export interface GatewaySettings {
  /** Feature tag-header-based-routing: Knative-Serving-Tag headers reach the application only when on. */
  readonly tagHeaderRouting: boolean;
  /** Template of the request log, empty when it is off. */
  readonly requestLogTemplate: string;
  readonly logProbeRequests: boolean;
}

/** The whole table, as it is kept on disk and sent to a gateway that has nothing. */
export interface RoutingTable {
  /** Which life of control compiled it; versions count within an epoch. */
  readonly epoch: string;
  readonly version: number;
  readonly settings: GatewaySettings;
  readonly routes: readonly RouteSet[];
  readonly targets: readonly Target[];
}

/** What changed from one version to a later one of the same epoch. */
export interface RoutingUpdate {
  readonly epoch: string;
  readonly fromVersion: number;
  readonly version: number;
  readonly settings?: GatewaySettings | undefined;
  readonly routes: readonly RouteSet[];
  readonly deletedRoutes: readonly string[];
  readonly targets: readonly Target[];
  readonly deletedTargets: readonly string[];
}

export const emptyRoutingTable: RoutingTable = {
  epoch: '',
  version: 0,
  settings: { tagHeaderRouting: false, requestLogTemplate: '', logProbeRequests: false },
  routes: [],
  targets: [],
};

/** The table after `update`; answers undefined when the update does not follow on this table. */
export function applyRoutingUpdate(table: RoutingTable, update: RoutingUpdate): RoutingTable | undefined {
  if (update.epoch !== table.epoch || update.fromVersion !== table.version) return undefined;
  return {
    epoch: table.epoch,
    version: update.version,
    settings: update.settings ?? table.settings,
    routes: replaceByKey(table.routes, update.routes, update.deletedRoutes),
    targets: replaceByKey(table.targets, update.targets, update.deletedTargets),
  };
}

function replaceByKey<T extends { readonly key: string }>(
  before: readonly T[],
  changed: readonly T[],
  deleted: readonly string[],
): readonly T[] {
  if (changed.length === 0 && deleted.length === 0) return before;
  const byKey = new Map(before.map((entry) => [entry.key, entry]));
  for (const key of deleted) byKey.delete(key);
  for (const entry of changed) byKey.set(entry.key, entry);
  return [...byKey.values()];
}
