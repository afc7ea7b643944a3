/**
 * What stands behind routes, as one worker sees it: revisions with their queue and statistics, targets, and the pods
 * with their connections. They outlive table versions; a new version changes them in place, all within one turn of
 * the event loop, so that a request sees one version or the other.
 */
import type { Clock } from '#base/clock.ts';
import { RevisionStats } from '#dataplane/gateway/revision-stats.ts';
import { CodeCounts } from '#dataplane/gateway/request-metrics.ts';
import type { PlacedTarget } from '#dataplane/ledger/directory.ts';
import type { UpstreamSource } from '#dataplane/proxy/exchange.ts';
import type { Target, TargetEndpoint, TargetRevision } from '#protocol/routing.ts';

/** A pod as this worker reaches it. */
export interface Endpoint {
  readonly key: string;
  readonly info: TargetEndpoint;
  readonly source: UpstreamSource;
}

export interface Revision {
  readonly info: TargetRevision;
  /** Its queue in the ledger; -1 when the ledger is full. */
  readonly slot: number;
  /** Slots of the pods that take requests, whatever target names them. */
  readonly pods: readonly number[];
  /** When a request that has no answer yet is given up, ms from its arrival; 0: never. */
  readonly firstByteLimitMs: number;
  readonly stats: RevisionStats;
  readonly counts: CodeCounts;
  /** When this worker said last that requests wait for it (monotonic). */
  toldAt: number;
}

export interface Backend {
  readonly target: Target;
  readonly revision: Revision | undefined;
  readonly pods: readonly number[];
  readonly endpoints: ReadonlyMap<number, Endpoint>;
}

/** What a route points at: the backend of the moment, if there is one. */
export interface BackendRef {
  readonly key: string;
  current: Backend | undefined;
}

type MutableRevision = { -readonly [K in keyof Revision]: Revision[K] };

export interface BackendsOptions {
  readonly clock: Clock;
  readonly createSource: (endpoint: TargetEndpoint, protocol: Target['protocol']) => UpstreamSource;
}

export class Backends {
  readonly #options: BackendsOptions;
  readonly #refs = new Map<string, BackendRef>();
  readonly #revisions = new Map<string, MutableRevision>();
  readonly #endpoints = new Map<string, { endpoint: Endpoint; uses: number }>();

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  ref(key: string): BackendRef {
    let ref = this.#refs.get(key);
    if (!ref) this.#refs.set(key, (ref = { key, current: undefined }));
    return ref;
  }

  get revisions(): IterableIterator<Revision> {
    return this.#revisions.values();
  }

  /** Takes in changed and deleted targets; answers the revisions whose pods changed. */
  apply(changed: readonly PlacedTarget[], deleted: readonly string[]): Revision[] {
    const touched = new Set<MutableRevision>();
    for (const placed of changed) this.#set(placed, touched);
    for (const key of deleted) this.#remove(key, touched);
    for (const revision of touched) revision.pods = this.#podsOf(revision);
    this.#dropUnused();
    return [...touched];
  }

  /** Forgets what neither the table nor a route names any more. */
  prune(referenced: ReadonlySet<string>): void {
    for (const [key, { current }] of this.#refs) if (!current && !referenced.has(key)) this.#refs.delete(key);
  }

  #set(placed: PlacedTarget, touched: Set<MutableRevision>): void {
    const ref = this.ref(placed.target.key);
    const before = ref.current;
    const revision = this.#revision(placed);
    ref.current = this.#backend(placed, revision);
    if (revision) touched.add(revision);
    if (before) this.#release(before, touched);
  }

  #remove(key: string, touched: Set<MutableRevision>): void {
    const ref = this.#refs.get(key);
    if (!ref?.current) return;
    const before = ref.current;
    ref.current = undefined;
    this.#release(before, touched);
  }

  #backend(placed: PlacedTarget, revision: Revision | undefined): Backend {
    const { target } = placed;
    const endpoints = new Map<number, Endpoint>();
    const pods: number[] = [];
    target.endpoints.forEach((info, index) => {
      const pod = placed.pods[index] ?? -1;
      if (pod < 0 || info.state !== 'ready') return;
      endpoints.set(pod, this.#endpoint(info, target.protocol));
      pods.push(pod);
    });
    return { target, revision, pods, endpoints };
  }

  #revision({ target, revision: slot }: PlacedTarget): MutableRevision | undefined {
    const info = target.revision;
    if (!info) return undefined;
    const known = this.#revisions.get(info.uid);
    if (known) {
      known.info = info;
      known.slot = slot;
      known.firstByteLimitMs = firstByteLimit(info);
      return known;
    }
    const stats = new RevisionStats(this.#options.clock.monotonicMs());
    const firstByteLimitMs = firstByteLimit(info);
    const revision: MutableRevision = {
      info,
      slot,
      pods: [],
      firstByteLimitMs,
      stats,
      counts: new CodeCounts(),
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.#revisions.set(info.uid, revision);
    return revision;
  }

  #endpoint(info: TargetEndpoint, protocol: Target['protocol']): Endpoint {
    const key = `${info.id} ${info.address} ${info.port} ${protocol} ${info.loopbackNetns ?? ''}`;
    const known = this.#endpoints.get(key);
    if (known) {
      known.uses += 1;
      return known.endpoint;
    }
    const endpoint = { key, info, source: this.#options.createSource(info, protocol) };
    this.#endpoints.set(key, { endpoint, uses: 1 });
    return endpoint;
  }

  #release(before: Backend, touched: Set<MutableRevision>): void {
    for (const endpoint of before.endpoints.values()) {
      const entry = this.#endpoints.get(endpoint.key);
      if (!entry) continue;
      entry.uses -= 1;
      if (entry.uses > 0) continue;
      this.#endpoints.delete(endpoint.key);
      endpoint.source.retire();
    }
    const revision = before.revision && this.#revisions.get(before.revision.info.uid);
    if (revision) touched.add(revision);
  }

  #podsOf(revision: Revision): number[] {
    const pods = new Set<number>();
    for (const { current } of this.#refs.values()) {
      if (current?.revision === revision) for (const pod of current.pods) pods.add(pod);
    }
    return [...pods];
  }

  /** Revisions that no target names and nobody waits for. */
  #dropUnused(): void {
    const used = new Set<Revision>();
    for (const { current } of this.#refs.values()) if (current?.revision) used.add(current.revision);
    for (const [uid, revision] of this.#revisions) {
      if (!used.has(revision) && revision.stats.active === 0) this.#revisions.delete(uid);
    }
  }
}

/** timeoutSeconds, responseStartTimeoutSeconds and idleTimeoutSeconds all begin with the request; 0 is none. */
function firstByteLimit({ timeoutMs, responseStartTimeoutMs, idleTimeoutMs }: TargetRevision): number {
  const limits = [timeoutMs, responseStartTimeoutMs, idleTimeoutMs].filter((limit) => limit > 0);
  return limits.length === 0 ? 0 : Math.min(...limits);
}
