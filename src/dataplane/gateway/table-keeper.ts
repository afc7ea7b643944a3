/**
 * The routing table in the main thread: takes what control sends, gives everything in it its slot of the ledger, and
 * tells the workers what changed. Versions towards the workers count on their own, so that a new life of control,
 * with versions from the start again, is for them one more change.
 */
import { deepEqual } from '#base/json.ts';
import type { WorkerUpdate } from '#dataplane/gateway/messages.ts';
import type { LedgerDirectory, PlacedRoute, PlacedTarget } from '#dataplane/ledger/directory.ts';
import type { ControlMessage } from '#protocol/link.ts';
import { applyRoutingUpdate, emptyRoutingTable, type RoutingTable } from '#protocol/routing.ts';

/** The place of a table in control's own count. */
export interface TableVersion {
  readonly epoch: string;
  readonly version: number;
}

interface Changes {
  readonly routes: RoutingTable['routes'];
  readonly deletedRoutes: readonly string[];
  readonly targets: RoutingTable['targets'];
  readonly deletedTargets: readonly string[];
}

export class TableKeeper {
  readonly #directory: LedgerDirectory;
  readonly #routes = new Map<string, PlacedRoute>();
  readonly #targets = new Map<string, PlacedTarget>();
  /** Our version → control's. */
  readonly #versions = new Map<number, TableVersion>();
  #table: RoutingTable = emptyRoutingTable;
  #version = 0;

  constructor(directory: LedgerDirectory) {
    this.#directory = directory;
  }

  get table(): RoutingTable {
    return this.#table;
  }

  get version(): number {
    return this.#version;
  }

  /** What the workers must be told; undefined when `message` does not follow on what is here. */
  accept(message: ControlMessage): WorkerUpdate | undefined {
    if (message.type === 'table') return this.replace(message.table);
    const table = applyRoutingUpdate(this.#table, message.update);
    return table && this.#change(table, message.update);
  }

  /** Takes a whole table; what is the same as before is not touched. */
  replace(table: RoutingTable): WorkerUpdate {
    const routes = differences(this.#table.routes, table.routes);
    const targets = differences(this.#table.targets, table.targets);
    return this.#change(table, {
      routes: routes.changed,
      deletedRoutes: routes.deleted,
      targets: targets.changed,
      deletedTargets: targets.deleted,
    });
  }

  /** The whole table, for a new worker. */
  whole(): WorkerUpdate | undefined {
    if (this.#version === 0) return undefined;
    const routes = [...this.#routes.values()];
    const targets = [...this.#targets.values()];
    const { settings } = this.#table;
    return { version: this.#version, settings, routes, deletedRoutes: [], targets, deletedTargets: [] };
  }

  /** All workers serve our `version`: what control calls it, if it was not told yet. */
  acknowledge(version: number): TableVersion | undefined {
    let newest: TableVersion | undefined;
    for (const [ours, theirs] of this.#versions) {
      if (ours > version) continue;
      newest = theirs;
      this.#versions.delete(ours);
    }
    return newest;
  }

  #change(table: RoutingTable, changes: Changes): WorkerUpdate {
    this.#version += 1;
    const version = this.#version;
    this.#table = table;
    this.#versions.set(version, { epoch: table.epoch, version: table.version });
    const targets = changes.targets.map((target) => this.#directory.placeTarget(target, version));
    const routes = changes.routes.map((route) => this.#directory.placeRoute(route, version));
    for (const placed of targets) this.#targets.set(placed.target.key, placed);
    for (const placed of routes) this.#routes.set(placed.route.key, placed);
    for (const key of changes.deletedTargets) {
      this.#targets.delete(key);
      this.#directory.removeTarget(key, version);
    }
    for (const key of changes.deletedRoutes) {
      this.#routes.delete(key);
      this.#directory.removeRoute(key, version);
    }
    const { deletedRoutes, deletedTargets } = changes;
    return { version, settings: table.settings, routes, deletedRoutes, targets, deletedTargets };
  }
}

function differences<T extends { readonly key: string }>(before: readonly T[], after: readonly T[]) {
  const known = new Map(before.map((entry) => [entry.key, entry]));
  const changed = after.filter((entry) => !deepEqual(known.get(entry.key), entry));
  for (const { key } of after) known.delete(key);
  return { changed, deleted: [...known.keys()] };
}
