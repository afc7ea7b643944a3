/**
 * Keeps the routing table as the API has it, version by version. A change costs what it touches, not what there is:
 * an Ingress is compiled when it or a Service that it names changes, a target when something that it depends on does.
 *
 * Changes of one turn make one version: flushing waits for the microtask queue, never for a timer, so that a pod that
 * became ready is published at once and a hundred of them together.
 */
import { deepEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { ObjectKey } from '#kube/object.ts';
import type { GatewaySettings, RouteSet, RoutingTable, RoutingUpdate } from '#protocol/routing.ts';
import type { CompiledRoutes, PostponedRoutes } from '#ingress/compile-routes.ts';
import type { TargetWorld } from '#ingress/compile-target.ts';
import { HostClaims } from '#ingress/host-claims.ts';
import { TargetSet } from '#ingress/target-set.ts';

/** Versions back that a gateway may lag and still be sent the difference only. */
const MAX_HISTORY = 1_000;

/** What the builder reads; the table builder knows no caches. */
export interface TableSource extends TargetWorld {
  /** The routes of a key now; undefined when there are none any more. */
  readonly compile: (key: string) => SourceRoutes | undefined;
  readonly settings: () => GatewaySettings;
}

export interface SourceRoutes {
  readonly result: CompiledRoutes | PostponedRoutes;
  readonly generation: number;
  /** Older ones are served first when hosts are disputed. */
  readonly createdMs: number;
}

export type PublicationState = 'published' | 'postponed' | 'conflict';

export interface Publication {
  /** Of the source that was compiled last. */
  readonly generation: number;
  readonly state: PublicationState;
  /** The version from which on it is served; meaningful when published. */
  readonly version: number;
  readonly sinceMs: number;
}

export interface TableListener {
  /** A new version. */
  onUpdate(update: RoutingUpdate): void;
  /** What became of these keys is known. */
  onCompiled(keys: readonly string[]): void;
}

export interface TableBuilderOptions {
  readonly source: TableSource;
  readonly epoch: string;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Touched {
  readonly version: number;
  readonly routes: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
  readonly hasSettings: boolean;
}

export class TableBuilder {
  readonly #options: TableBuilderOptions;
  readonly #routes = new Map<string, RouteSet>();
  readonly #usedTargets = new Map<string, ReadonlySet<string>>();
  readonly #targets: TargetSet;
  readonly #targetSince = new Map<string, number>();
  readonly #claims = new HostClaims();
  readonly #publications = new Map<string, Publication>();
  readonly #dirtyRoutes = new Set<string>();
  readonly #dirtyTargets = new Set<string>();
  readonly #listeners = new Set<TableListener>();
  #history: Touched[] = [];
  #settings: GatewaySettings;
  #settingsAreDirty = false;
  #version = 0;
  #scheduled = false;

  constructor(options: TableBuilderOptions) {
    this.#options = options;
    this.#targets = new TargetSet(options.source);
    this.#settings = options.source.settings();
  }

  get epoch(): string {
    return this.#options.epoch;
  }

  get version(): number {
    return this.#version;
  }

  listen(listener: TableListener): void {
    this.#listeners.add(listener);
  }

  publication(key: string): Publication | undefined {
    return this.#publications.get(key);
  }

  /** The version since which a target is in the table. */
  targetSince(key: string): number | undefined {
    return this.#targetSince.get(key);
  }

  table(): RoutingTable {
    return {
      epoch: this.epoch,
      version: this.#version,
      settings: this.#settings,
      routes: [...this.#routes.values()],
      targets: this.#targets.values(),
    };
  }

  /** What changed since a version of this epoch; undefined when that is too long ago, or never was. */
  updateSince(version: number): RoutingUpdate | undefined {
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (version < oldest - 1 || version > this.#version) return undefined;
    const missed = this.#history.filter((one) => one.version > version);
    return this.#update(version, missed);
  }

  routesChanged(key: string): void {
    this.#dirtyRoutes.add(key);
    this.#schedule();
  }

  /** Something that targets depend on changed; see `dependencyOn`. */
  dependencyChanged(dependency: string): void {
    let isUsed = false;
    for (const key of this.#targets.dependentsOf(dependency)) {
      this.#dirtyTargets.add(key);
      isUsed = true;
    }
    if (isUsed) this.#schedule();
  }

  settingsChanged(): void {
    this.#settingsAreDirty = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Compiles whatever is dirty now. */
  flush(): void {
    this.#scheduled = false;
    const compiled = new Map<string, SourceRoutes | undefined>();
    const routes = new Set<string>();
    const targets = new Set<string>();
    for (let next = this.#takeDirty(); next.length > 0; next = this.#takeDirty()) {
      for (const [key, source] of next) {
        compiled.set(key, source);
        this.#apply(key, source, { routes, targets });
      }
    }
    for (const key of this.#dirtyTargets) if (this.#targets.refresh(key)) targets.add(key);
    this.#dirtyTargets.clear();
    const hasSettings = this.#refreshSettings();
    const isNew = routes.size > 0 || targets.size > 0 || hasSettings;
    if (isNew) this.#version += 1;
    for (const key of targets) this.#trackTarget(key);
    this.#stamp(compiled);
    if (isNew) this.#publish({ version: this.#version, routes, targets, hasSettings });
    if (compiled.size > 0) for (const listener of this.#listeners) listener.onCompiled([...compiled.keys()]);
  }

  /** Oldest first, so that after a restart hosts go to whom they went before. */
  #takeDirty(): [string, SourceRoutes | undefined][] {
    const keys = [...this.#dirtyRoutes];
    this.#dirtyRoutes.clear();
    const sources = keys.map((key): [string, SourceRoutes | undefined] => [key, this.#options.source.compile(key)]);
    const age = (source: SourceRoutes | undefined) => source?.createdMs ?? 0;
    return sources.sort(([a, left], [b, right]) => age(left) - age(right) || (a < b ? -1 : 1));
  }

  #apply(key: string, source: SourceRoutes | undefined, touched: { routes: Set<string>; targets: Set<string> }): void {
    if (!source) {
      for (const waiting of this.#claims.release(key)) this.#dirtyRoutes.add(waiting);
      this.#publications.delete(key);
      if (this.#routes.delete(key)) touched.routes.add(key);
      this.#use(key, new Set(), touched.targets);
      return;
    }
    const { result, generation } = source;
    if ('missing' in result) return this.#note(key, generation, 'postponed');
    const { granted, released } = this.#claims.claim(key, result.hosts);
    if (!granted) return this.#note(key, generation, 'conflict');
    for (const waiting of released) this.#dirtyRoutes.add(waiting);
    if (!deepEqual(this.#routes.get(key), result.routes)) {
      this.#routes.set(key, result.routes);
      touched.routes.add(key);
    }
    this.#use(key, result.targets, touched.targets);
    this.#note(key, generation, 'published');
  }

  #use(key: string, targets: ReadonlySet<string>, touched: Set<string>): void {
    for (const target of this.#targets.use(key, this.#usedTargets.get(key) ?? new Set(), targets)) touched.add(target);
    if (targets.size === 0) this.#usedTargets.delete(key);
    else this.#usedTargets.set(key, targets);
  }

  #note(key: string, generation: number, state: PublicationState): void {
    this.#publications.set(key, { generation, state, version: 0, sinceMs: 0 });
  }

  #trackTarget(key: string): void {
    if (!this.#targets.get(key)) this.#targetSince.delete(key);
    else if (!this.#targetSince.has(key)) this.#targetSince.set(key, this.#version);
  }

  #stamp(compiled: ReadonlyMap<string, SourceRoutes | undefined>): void {
    const sinceMs = this.#options.now();
    for (const key of compiled.keys()) {
      const publication = this.#publications.get(key);
      if (publication) this.#publications.set(key, { ...publication, version: this.#version, sinceMs });
    }
  }

  #refreshSettings(): boolean {
    if (!this.#settingsAreDirty) return false;
    this.#settingsAreDirty = false;
    const settings = this.#options.source.settings();
    if (deepEqual(settings, this.#settings)) return false;
    this.#settings = settings;
    return true;
  }

  #publish(touched: Touched): void {
    this.#history.push(touched);
    if (this.#history.length > MAX_HISTORY) this.#history = this.#history.slice(-MAX_HISTORY / 2);
    const update = this.#update(touched.version - 1, [touched]);
    this.#options.logger.debug('routing table', {
      version: update.version,
      routes: touched.routes.size,
      targets: touched.targets.size,
    });
    for (const listener of this.#listeners) listener.onUpdate(update);
  }

  #update(fromVersion: number, touched: readonly Touched[]): RoutingUpdate {
    const routes = new Set(touched.flatMap((one) => [...one.routes]));
    const targets = new Set(touched.flatMap((one) => [...one.targets]));
    const isGoneRoute = (key: ObjectKey) => !this.#routes.has(key);
    const isGoneTarget = (key: string) => !this.#targets.get(key);
    return {
      epoch: this.epoch,
      fromVersion,
      version: this.#version,
      ...(touched.some(({ hasSettings }) => hasSettings) ? { settings: this.#settings } : {}),
      routes: [...routes].flatMap((key) => this.#routes.get(key) ?? []),
      deletedRoutes: [...routes].filter(isGoneRoute),
      targets: [...targets].flatMap((key) => this.#targets.get(key) ?? []),
      deletedTargets: [...targets].filter(isGoneTarget),
    };
  }
}
