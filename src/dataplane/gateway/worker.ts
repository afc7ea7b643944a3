/**
 * One worker: accepts, routes and carries requests by itself, and shares only the ledger with its siblings. It is
 * told of tables by the main thread and tells it what happened. It runs in a thread of its own, or anywhere that
 * gives it messages.
 */
import net from 'node:net';
import type { Clock } from '#base/clock.ts';
import { Backends, type Endpoint, type Revision } from '#dataplane/gateway/backends.ts';
import { EpochClock } from '#dataplane/gateway/cold-start.ts';
import type { ExchangeContext, RunningExchange } from '#dataplane/gateway/exchange-context.ts';
import { Listeners, type ListenOn } from '#dataplane/gateway/listeners.ts';
import type {
  MainMessage,
  RevisionName,
  WorkerBirth,
  WorkerMessage,
  WorkerUpdate,
} from '#dataplane/gateway/messages.ts';
import { FIELD_NAMES } from '#dataplane/gateway/names.ts';
import { RequestLog } from '#dataplane/gateway/request-log.ts';
import { Router } from '#dataplane/gateway/router.ts';
import { GatewayService } from '#dataplane/gateway/service.ts';
import { Ledger } from '#dataplane/ledger/ledger.ts';
import { LedgerLayout } from '#dataplane/ledger/layout.ts';
import { Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { ListenerKind, UpstreamSource } from '#dataplane/proxy/exchange.ts';
import { H2Source } from '#dataplane/proxy/h2-upstream.ts';
import { DateLine } from '#dataplane/proxy/local-answer.ts';
import { RequestHead } from '#dataplane/proxy/request-head.ts';
import { ResponseHead } from '#dataplane/proxy/response-head.ts';
import { UpstreamPool } from '#dataplane/proxy/upstream-pool.ts';
import { Io } from '#dataplane/proxy/wire.ts';
import { ACTIVATE_SPACING_MS } from '#protocol/link.ts';
import { emptyRoutingTable, type GatewaySettings, type Target, type TargetEndpoint } from '#protocol/routing.ts';
import type { TimelineStep } from '#protocol/timeline.ts';

export interface WorkerOptions {
  readonly clock: Clock;
  readonly birth: WorkerBirth;
  readonly send: (message: WorkerMessage) => void;
  /** Connects to a loopback port inside a network namespace. */
  readonly connectInNetns: (netns: string, port: number) => Promise<number>;
}

/** How often a draining worker looks whether it is done. */
const DRAIN_POLL_MS = 20;

export class GatewayWorker {
  readonly #options: WorkerOptions;
  readonly #io: Io;
  readonly #deadlines: Deadlines;
  readonly #ledger: Ledger;
  readonly #backends: Backends;
  readonly #router: Router;
  readonly #log: RequestLog;
  readonly #listeners: Listeners;
  readonly #responseHead = new ResponseHead(FIELD_NAMES);
  readonly #running = new Set<RunningExchange>();
  #refused: Record<string, number> = {};
  #settings: GatewaySettings = emptyRoutingTable.settings;
  #version = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { clock, birth, send } = options;
    this.#io = new Io((error) => send({ type: 'complaint', text: `a connection was closed: ${stackOf(error)}` }));
    this.#deadlines = new Deadlines(clock);
    this.#ledger = new Ledger(new LedgerLayout(birth.memory, birth.seats), birth.seat);
    this.#backends = new Backends({
      clock,
      createSource: (endpoint, protocol) => this.#source(endpoint, protocol),
    });
    this.#router = new Router({
      ref: (key) => this.#backends.ref(key),
      nextOf: (counter) => this.#ledger.nextOf(counter),
    });
    this.#log = new RequestLog(
      (line) => send({ type: 'log', line }),
      (text) => send({ type: 'complaint', text: `request log template: cannot read ${text}` }),
    );
    this.#listeners = this.#createListeners();
    if (birth.certificate) this.#listeners.useFallback(birth.certificate);
  }

  /** Takes the table that it was born with, then listens. */
  async start(): Promise<void> {
    const { birth, send } = this.#options;
    void this.#ledger.listen();
    if (birth.update) this.#apply(birth.update);
    for (const { kind, fd } of birth.listeners) await this.#listeners.listen(kind, { fd });
    send({ type: 'listening' });
  }

  /** Requests under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Listens on an address of its own. */
  listen(kind: ListenerKind, at: ListenOn): Promise<net.AddressInfo> {
    return this.#listeners.listen(kind, at);
  }

  receive(message: MainMessage): void {
    switch (message.type) {
      case 'update':
        return this.#apply(message.update);
      case 'collect':
        return this.#collect(message.round);
      case 'certificate':
        return this.#listeners.useFallback(message.certificate);
      default:
        return this.#drain(message.graceMs);
    }
  }

  stop(): void {
    this.#listeners.drain();
    for (const exchange of this.#running) exchange.cut();
    this.#listeners.destroy();
    this.#ledger.stop();
    this.#deadlines[Symbol.dispose]();
  }

  #createListeners(): Listeners {
    const { clock, birth } = this.#options;
    const head = new RequestHead(FIELD_NAMES);
    const service = new GatewayService({
      router: this.#router,
      exchange: this.#exchangeContext(),
      slab: this.#io.slab,
      settings: () => this.#settings,
      isReady: () => this.#version > 0,
      httpsPort: birth.httpsPort,
    });
    return new Listeners({
      io: this.#io,
      // Certificates of single hosts come with the table, once it has them.
      certificate: () => undefined,
      client: {
        clock,
        deadlines: this.#deadlines,
        date: new DateLine(clock),
        head,
        service,
        onRefused: ({ cause }) => {
          this.#refused[cause] = (this.#refused[cause] ?? 0) + 1;
        },
      },
    });
  }

  #exchangeContext(): ExchangeContext {
    const { clock } = this.#options;
    return {
      clock,
      epoch: new EpochClock(clock),
      deadlines: this.#deadlines,
      ledger: this.#ledger,
      log: this.#log,
      running: this.#running,
      onWaiting: (revision) => this.#tellWaiting(revision),
      onColdStart: (revision, endpoint, steps) => this.#tellColdStart(revision, endpoint, steps),
    };
  }

  /** A revision whose pods are busy all the time has somebody waiting now and then; control hears of that often enough. */
  #tellWaiting(revision: Revision): void {
    if (!this.#ledger.isNews(revision.slot)) return;
    const now = this.#options.clock.monotonicMs();
    if (revision.pods.length > 0 && now - revision.toldAt < ACTIVATE_SPACING_MS) return;
    revision.toldAt = now;
    this.#options.send({ type: 'waiting', ...nameOf(revision) });
  }

  #tellColdStart(revision: Revision, endpoint: Endpoint, steps: readonly TimelineStep[]): void {
    this.#options.send({
      type: 'coldstart',
      ...nameOf(revision),
      pod: endpoint.info.pod,
      totalMs: steps.reduce((sum, { durationMs }) => sum + durationMs, 0),
      steps: steps.map(({ name, durationMs }) => ({ name, durationMs })),
    });
  }

  #source(endpoint: TargetEndpoint, protocol: Target['protocol']): UpstreamSource {
    const { clock, connectInNetns } = this.#options;
    const { address: host, port, loopbackNetns } = endpoint;
    const shared = { clock, deadlines: this.#deadlines, head: this.#responseHead };
    if (protocol === 'http1')
      return new UpstreamPool({ host, port, loopbackNetns }, { ...shared, io: this.#io, connectInNetns });
    const connect = async () =>
      loopbackNetns === undefined
        ? connected(net.connect({ host, port, noDelay: true }))
        : new net.Socket({ fd: await connectInNetns(loopbackNetns, port), readable: true, writable: true });
    return new H2Source({ ...shared, connect });
  }

  /** All in one turn of the event loop: a request sees one table or the other. */
  #apply(update: WorkerUpdate): void {
    this.#settings = update.settings;
    this.#log.use(update.settings.requestLogTemplate);
    const touched = this.#backends.apply(update.targets, update.deletedTargets);
    this.#router.apply(update.routes, update.deletedRoutes);
    if (update.deletedRoutes.length + update.deletedTargets.length > 0) this.#backends.prune(this.#router.targets());
    this.#version = update.version;
    for (const exchange of this.#running) exchange.onTable();
    for (const { slot, pods } of touched) {
      if (slot >= 0 && this.#ledger.queued(slot) > 0) this.#ledger.pump(slot, pods);
    }
    this.#options.send({ type: 'applied', version: update.version });
  }

  #collect(round: number): void {
    const now = this.#options.clock.monotonicMs();
    const revisions = [];
    for (const revision of this.#backends.revisions) {
      const { area, requests } = revision.stats.collect(now);
      const codes = revision.counts.collect();
      const { active } = revision.stats;
      if (area > 0 || requests > 0 || active > 0 || codes.length > 0)
        revisions.push({ ...nameOf(revision), area, requests, active, codes });
    }
    const refused = this.#refused;
    this.#refused = {};
    this.#options.send({ type: 'stats', round, revisions, connections: this.#listeners.connections, refused });
  }

  #drain(graceMs: number): void {
    const { clock, send } = this.#options;
    this.#listeners.drain();
    const deadline = clock.monotonicMs() + graceMs;
    const poll = clock.every(DRAIN_POLL_MS, () => {
      const isLate = clock.monotonicMs() >= deadline;
      if (!isLate && (this.#running.size > 0 || this.#listeners.connections > 0)) return;
      poll.cancel();
      const cut = this.#running.size;
      this.stop();
      send({ type: 'drained', cut });
    });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function nameOf({ info }: Revision): RevisionName {
  return { uid: info.uid, namespace: info.namespace, name: info.name };
}

function connected(socket: net.Socket): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
