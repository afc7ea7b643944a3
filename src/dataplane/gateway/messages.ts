/** What the main thread and the workers of a gateway say to each other. */
import type { CodeCount } from '#dataplane/gateway/request-metrics.ts';
import type { PlacedRoute, PlacedTarget } from '#dataplane/ledger/directory.ts';
import type { ListenerKind } from '#dataplane/proxy/exchange.ts';
import type { GatewaySettings } from '#protocol/routing.ts';

/** Changes to the table, with their slots; to a new worker, the whole of it. */
export interface WorkerUpdate {
  readonly version: number;
  readonly settings: GatewaySettings;
  readonly routes: readonly PlacedRoute[];
  readonly deletedRoutes: readonly string[];
  readonly targets: readonly PlacedTarget[];
  readonly deletedTargets: readonly string[];
}

/** In PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export type MainMessage =
  /** What the TLS listener shows from now on where it has nothing better. */
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | { readonly type: 'update'; readonly update: WorkerUpdate }
  /** Asks for `stats`. */
  | { readonly type: 'collect'; readonly round: number }
  /** Accept no more, finish what runs, then say `drained`; what runs after `graceMs` is cut. */
  | { readonly type: 'drain'; readonly graceMs: number };

export interface RevisionName {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface RevisionCounts extends RevisionName {
  /** Concurrency × ms. */
  readonly area: number;
  readonly requests: number;
  /** In flight or waiting, now. */
  readonly active: number;
  readonly codes: readonly CodeCount[];
}

export interface WorkerStats {
  readonly type: 'stats';
  readonly round: number;
  readonly revisions: readonly RevisionCounts[];
  readonly connections: number;
  /** Heads that were refused, by cause. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface ColdStartNotice extends RevisionName {
  readonly type: 'coldstart';
  readonly pod: string;
  readonly totalMs: number;
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[];
}

export type WorkerMessage =
  | { readonly type: 'listening' }
  /** The update is in force. */
  | { readonly type: 'applied'; readonly version: number }
  /** Requests wait: the first, or twice as many as when this was said last. */
  | ({ readonly type: 'waiting' } & RevisionName)
  | WorkerStats
  | ColdStartNotice
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'complaint'; readonly text: string }
  /** All is finished, but for `cut` requests that took too long. */
  | { readonly type: 'drained'; readonly cut: number };

/** What a worker is born with. */
export interface WorkerBirth {
  readonly seat: number;
  readonly seats: number;
  readonly memory: SharedArrayBuffer;
  /** Descriptors of listeners, the worker's own. */
  readonly listeners: readonly { readonly kind: ListenerKind; readonly fd: number }[];
  /** Port of the TLS listener, 0 when there is none. */
  readonly httpsPort: number;
  readonly certificate?: Certificate | undefined;
  readonly update: WorkerUpdate | undefined;
}
