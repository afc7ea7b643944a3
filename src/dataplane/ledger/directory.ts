/**
 * Which slot belongs to whom, kept by the main thread: pods by UID, revisions by UID, split counters by route, rule
 * and path. A slot lives as long as some target or route names its owner, whatever the table's version, and is given
 * away again only when all workers have forgotten it and nothing is counted on it.
 */
import type { Ledger } from '#dataplane/ledger/ledger.ts';
import {
  CLOSED,
  MAX_PODS,
  MAX_REVISIONS,
  MAX_SPLITS,
  POD_IN_FLIGHT,
  POD_LIMIT,
  REVISION_LIMIT,
  UNLIMITED,
} from '#dataplane/ledger/layout.ts';
import { SlotMap } from '#dataplane/ledger/slot-map.ts';
import type { RouteSet, Target, TargetEndpoint } from '#protocol/routing.ts';

/** A target with its slots; `pods[i]` is that of `endpoints[i]`, -1 when there was none left. */
export interface PlacedTarget {
  readonly target: Target;
  readonly revision: number;
  readonly pods: readonly number[];
}

/** A route with its counters, by rule and path; -1 where a path has one split only. */
export interface PlacedRoute {
  readonly route: RouteSet;
  readonly counters: readonly (readonly number[])[];
}

/** What a target says of a pod. */
interface Claim {
  readonly limit: number;
}

export class LedgerDirectory {
  readonly #ledger: Ledger;
  readonly #pods = new SlotMap<Claim>(MAX_PODS);
  readonly #revisions = new SlotMap<true>(MAX_REVISIONS);
  readonly #splits = new SlotMap<true>(MAX_SPLITS);
  readonly #splitsOf = new Map<string, ReadonlySet<string>>();
  readonly #placed = new Map<string, PlacedTarget>();
  readonly #occupied = new Map<string, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Gives a new or changed target its slots. `version`: the table that brings it. */
  placeTarget(target: Target, version: number): PlacedTarget {
    const before = this.#placed.get(target.key);
    const revision = this.#placeRevision(target);
    const pods = target.endpoints.map((endpoint) => this.#placePod(target, endpoint));
    const placed = { target, revision, pods };
    this.#placed.set(target.key, placed);
    if (before) this.#forget(before, version, target);
    return placed;
  }

  removeTarget(key: string, version: number): void {
    const before = this.#placed.get(key);
    this.#placed.delete(key);
    if (before) this.#forget(before, version, undefined);
  }

  placeRoute(route: RouteSet, version: number): PlacedRoute {
    const names = new Set<string>();
    const counters = route.rules.map((rule, ruleIndex) =>
      rule.paths.map(({ splits, prefix }, pathIndex) => {
        if (splits.length < 2) return -1;
        const name = `${route.key}/${ruleIndex}/${pathIndex}/${prefix}`;
        names.add(name);
        return this.#splits.claim(name, route.key, true);
      }),
    );
    this.#forgetSplits(route.key, names, version);
    return { route, counters };
  }

  removeRoute(key: string, version: number): void {
    this.#forgetSplits(key, new Set(), version);
  }

  #forgetSplits(key: string, kept: ReadonlySet<string>, version: number): void {
    for (const name of this.#splitsOf.get(key) ?? []) if (!kept.has(name)) this.#splits.release(name, key, version);
    if (kept.size > 0) this.#splitsOf.set(key, kept);
    else this.#splitsOf.delete(key);
  }

  /** All workers serve `version` or later: slots that it no longer names may be given away. */
  acknowledge(version: number): void {
    const { layout } = this.#ledger;
    this.#pods.reclaim(version, (slot) => Atomics.load(layout.words, layout.pod(slot) + POD_IN_FLIGHT) === 0);
    this.#revisions.reclaim(version, (slot) => this.#ledger.queued(slot) === 0);
    this.#splits.reclaim(version, () => true);
  }

  /** Pods of a revision that take requests, for pumping its queue. */
  podsOf(revision: number): number[] {
    const pods = new Set<number>();
    for (const placed of this.#placed.values()) {
      if (placed.revision !== revision) continue;
      placed.target.endpoints.forEach((endpoint, index) => {
        const pod = placed.pods[index] ?? -1;
        if (pod >= 0 && endpoint.state === 'ready') pods.add(pod);
      });
    }
    return [...pods];
  }

  get placedTargets(): IterableIterator<PlacedTarget> {
    return this.#placed.values();
  }

  slotOfPod(uid: string): number {
    return this.#pods.slotOf(uid);
  }

  slotOfRevision(uid: string): number {
    return this.#revisions.slotOf(uid);
  }

  pumpAll(): void {
    for (const { revision } of this.#placed.values()) {
      if (revision >= 0 && this.#ledger.queued(revision) > 0) this.#ledger.pump(revision, this.podsOf(revision));
    }
  }

  /** Counts `count` requests on a pod that no thread of ours holds, until `vacate`. */
  occupy(uid: string, count: number): void {
    const slot = this.#pods.slotOf(uid);
    if (slot < 0 || this.#occupied.has(uid)) return;
    this.#occupied.set(uid, count);
    this.#count(slot, count);
  }

  vacate(uid: string): void {
    const count = this.#occupied.get(uid);
    const slot = this.#pods.slotOf(uid);
    if (count === undefined) return;
    this.#occupied.delete(uid);
    if (slot >= 0) this.#count(slot, -count);
  }

  get occupied(): IterableIterator<string> {
    return this.#occupied.keys();
  }

  #count(slot: number, change: number): void {
    const { layout, seat } = this.#ledger;
    Atomics.add(layout.words, layout.heldBy(seat, slot), change);
    Atomics.add(layout.words, layout.pod(slot) + POD_IN_FLIGHT, change);
  }

  #placeRevision({ key, revision }: Target): number {
    if (!revision) return -1;
    const slot = this.#revisions.claim(revision.uid, key, true);
    const { layout } = this.#ledger;
    if (slot >= 0) Atomics.store(layout.words, layout.revision(slot) + REVISION_LIMIT, revision.queueLimit);
    return slot;
  }

  #placePod({ key, revision }: Target, endpoint: TargetEndpoint): number {
    const limit = endpoint.state === 'draining' ? CLOSED : revision?.containerConcurrency || UNLIMITED;
    const slot = this.#pods.claim(endpoint.id, key, { limit });
    if (slot >= 0) this.#setLimit(endpoint.id, slot);
    return slot;
  }

  /** The strictest of what the targets in front of the pod say. */
  #setLimit(uid: string, slot: number): void {
    const claims = this.#pods.claimsOf(uid);
    const limit = claims.length === 0 ? CLOSED : Math.min(...claims.map((claim) => claim.limit));
    Atomics.store(this.#ledger.layout.words, this.#ledger.layout.pod(slot) + POD_LIMIT, limit);
  }

  /** Drops what `before` named and `after` does not. */
  #forget(before: PlacedTarget, version: number, after: Target | undefined): void {
    const kept = new Set(after?.endpoints.map(({ id }) => id));
    for (const { id } of before.target.endpoints) {
      if (kept.has(id)) continue;
      const slot = this.#pods.slotOf(id);
      this.#pods.release(id, before.target.key, version);
      if (slot >= 0) this.#setLimit(id, slot);
    }
    const { revision } = before.target;
    if (revision && revision.uid !== after?.revision?.uid)
      this.#revisions.release(revision.uid, before.target.key, version);
  }
}
