/**
 * The ingress as a whole: routing table, link to the gateways, status of the Ingress objects.
 *
 *     API objects → table builder → link server → gateways ── acknowledged version ──▶ Ingress status
 *
 * `start` begins to serve the table; call it when the caches have their first lists and, at home, when the node agent
 * has found its pods again: until then gateways go on with the table they have, which is better than one without pods.
 */
import type { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import type { Subscription } from '#client/transport.ts';
import { uuid } from '#base/ids.ts';
import {
  Controller,
  type ControllerEnvironment,
  type Outcome,
  type ReconcileContext,
  watching,
} from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { LiveConfigs } from '#controller/live-configs.ts';
import { reconcileStatus } from '#controller/status-reconcile.ts';
import { isBeingDeleted, keyOf, type ObjectKey, type ObjectRef, refOfKey } from '#kube/object.ts';
import { ingressConditions } from '#knative/conditions.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { createApiSource, followApi } from '#ingress/api-source.ts';
import { isOurs } from '#ingress/classes.ts';
import { targetKey } from '#ingress/compile-routes.ts';
import { type LinkHandlers, LinkServer } from '#ingress/link-server.ts';
import { serviceOfRoutesKey } from '#ingress/revision-routes.ts';
import { type IngressWorld, isServed, planIngressStatus, wasReady } from '#ingress/status-plan.ts';
import { TableBuilder } from '#ingress/table-builder.ts';

/**
 * How long a status waits for gateways to acknowledge before it says that it waits: they need a few milliseconds, and a
 * status that is not written is one that the Route need not write either.
 */
const PATIENCE_MS = 25;

/** Ports of a revision's public Service, by protocol. */
const PUBLIC_PORTS = [80, 81];

export interface IngressOptions extends ControllerEnvironment, Omit<LinkHandlers, 'onAcknowledged'> {
  readonly client: Client;
  readonly caches: Caches;
  readonly configs: LiveConfigs;
  readonly eventsOf: (component: string) => EventRecorder;
  readonly clusterDomain: string;
  /** Where gateways connect: `run/link.sock`. */
  readonly socketPath: string;
  /** Every gateway knows the revision from now on; see `servesRevision`. */
  readonly onRevisionServed?: (revision: ObjectRef) => void;
}

export interface IngressParts extends AsyncDisposable {
  /** Start it with the other controllers. */
  readonly controller: Controller;
  readonly table: TableBuilder;
  readonly link: LinkServer;
  /** Compiles everything and lets gateways connect. */
  start(): Promise<void>;
  /** Every gateway knows the revision: requests for it wait there while it has no pod. */
  servesRevision(revision: ObjectRef): boolean;
}

export function createIngress(options: IngressOptions): IngressParts {
  return new IngressGateway(options);
}

class IngressGateway implements IngressParts {
  readonly controller: Controller;
  readonly table: TableBuilder;
  readonly link: LinkServer;
  readonly #options: IngressOptions;
  readonly #events: EventRecorder;
  readonly #unacknowledged = new Map<ObjectKey, number>();
  #following: Subscription[] = [];
  #isStarted = false;

  constructor(options: IngressOptions) {
    const { clock, logger, caches } = options;
    this.#options = options;
    this.#events = options.eventsOf('ingress-controller');
    const source = createApiSource(options);
    const quiet = logger.with({ component: 'routing-table' });
    this.table = new TableBuilder({ source, epoch: uuid(clock), now: () => clock.now(), logger: quiet });
    const onAcknowledged = () => this.#acknowledged();
    this.link = new LinkServer({
      ...options,
      table: this.table,
      logger: logger.with({ component: 'link' }),
      onAcknowledged,
    });
    this.controller = new Controller({
      ...options,
      name: 'ingress',
      sources: [watching(caches.of(Ingress))],
      reconcile: (key, context) => this.#reconcile(key, context),
    });
  }

  async start(): Promise<void> {
    this.table.listen({
      onUpdate: () => this.link.push(),
      onCompiled: (keys) => this.#compiled(keys),
    });
    this.#following = followApi(this.table, this.#options);
    this.table.flush();
    this.#isStarted = true;
    for (const ingress of this.#options.caches.of(Ingress).list()) this.controller.enqueue(keyOf(ingress));
    await this.link.listen();
  }

  servesRevision({ namespace = '', name }: ObjectRef): boolean {
    const since = PUBLIC_PORTS.map((port) => this.table.targetSince(targetKey(namespace, name, port)));
    const [known] = since.filter((version) => version !== undefined);
    return known !== undefined && this.link.acknowledged >= known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#following) subscription.close();
    await this.controller[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }

  #compiled(keys: readonly string[]): void {
    for (const key of keys) {
      const publication = this.table.publication(key);
      if (publication?.state === 'published') this.#unacknowledged.set(key, publication.version);
      else this.#unacknowledged.delete(key);
      if (serviceOfRoutesKey(key) === undefined) this.controller.enqueue(key);
    }
  }

  #acknowledged(): void {
    const { acknowledged, gateways } = this.link;
    if (gateways === 0) return;
    for (const [key, version] of this.#unacknowledged) {
      if (version > acknowledged) continue;
      this.#unacknowledged.delete(key);
      const service = serviceOfRoutesKey(key);
      if (service === undefined) this.controller.enqueue(key);
      else this.#options.onRevisionServed?.(refOfKey(service));
    }
  }

  async #reconcile(key: ObjectKey, _context: ReconcileContext): Promise<Outcome> {
    const { caches, client, clock, configs, clusterDomain } = this.#options;
    const ingress = caches.of(Ingress).byKey(key);
    if (!this.#isStarted || !ingress || isBeingDeleted(ingress)) return undefined;
    if (!isOurs(ingress, configs.current.network.ingressClass)) return undefined;
    const publication = this.table.publication(key);
    // Not compiled yet: that happens in this very turn, and brings the key back.
    if (!publication || publication.generation !== ingress.metadata.generation) return undefined;
    const world = { ingress, publication, acknowledged: this.link.acknowledged };
    const requeueAfterMs = this.#patience(world);
    if (requeueAfterMs > 0) return { requeueAfterMs };
    return reconcileStatus({
      kind: Ingress,
      object: ingress,
      conditions: ingressConditions,
      client,
      clock,
      events: this.#events,
      work: async (status, conditions) => planIngressStatus(world, { status, conditions }, clusterDomain),
    });
  }

  /** How long to wait yet for an acknowledgement that is on its way. */
  #patience(world: IngressWorld): number {
    const { ingress, publication } = world;
    if (publication.state !== 'published' || this.link.gateways === 0) return 0;
    if (isServed(world) || wasReady(ingress)) return 0;
    return publication.sinceMs + PATIENCE_MS - this.#options.clock.now();
  }
}
