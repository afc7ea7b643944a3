/**
 * The gateway's main thread: keeps the table and the ledger's directory, looks after the workers, speaks with control.
 *
 * It serves from the table on disk before control answers, keeps serving while control is away, and after a crash of
 * its own counts limited pods as full until they are seen idle. It carries no request itself.
 */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { Activation } from '#dataplane/gateway/activation.ts';
import { DrainingPods } from '#dataplane/gateway/draining.ts';
import { LinkClient } from '#dataplane/gateway/link-client.ts';
import type { Certificate, WorkerMessage, WorkerUpdate } from '#dataplane/gateway/messages.ts';
import { GatewayMetrics, summarize } from '#dataplane/gateway/reports.ts';
import { SnapshotFile } from '#dataplane/gateway/snapshot-file.ts';
import { TableKeeper } from '#dataplane/gateway/table-keeper.ts';
import { type ConnectionCount, UnknownLoad } from '#dataplane/gateway/unknown-load.ts';
import { type Applied, WorkerPool, type WorkerPoolOptions } from '#dataplane/gateway/worker-pool.ts';
import { LedgerDirectory } from '#dataplane/ledger/directory.ts';
import { Ledger } from '#dataplane/ledger/ledger.ts';
import { createLedgerMemory, LedgerLayout } from '#dataplane/ledger/layout.ts';
import { type ControlMessage, REPORT_PERIOD_MS } from '#protocol/link.ts';
import { emptyRoutingTable } from '#protocol/routing.ts';

/** Most threads that carry requests: seats are counted in the bits of a word. */
const MAX_WORKERS = 30;

export interface GatewayOptions extends Pick<WorkerPoolOptions, 'listeners' | 'duplicate' | 'spawn'> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly pid: number;
  readonly workers: number;
  readonly linkSocket: string;
  readonly snapshotFile: string;
  readonly httpsPort: number;
  readonly connections: ConnectionCount;
  /** Lines of the request log, whole. */
  readonly writeRequestLog: (line: string) => void;
}

export class Gateway implements AsyncDisposable {
  readonly metrics = new MetricRegistry();
  readonly #options: GatewayOptions;
  readonly #ledger: Ledger;
  readonly #directory: LedgerDirectory;
  readonly #keeper: TableKeeper;
  readonly #pool: WorkerPool;
  readonly #link: LinkClient;
  readonly #snapshot: SnapshotFile;
  readonly #activation: Activation;
  readonly #draining: DrainingPods;
  readonly #unknown: UnknownLoad;
  readonly #figures = new GatewayMetrics(this.metrics);
  readonly #stop = new AbortController();
  readonly #resources = new AsyncDisposableStack();
  #certificate: Certificate | undefined;
  #reportedAt = 0;
  #mayHaveCrashed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { clock, log } = options;
    const seats = Math.min(options.workers, MAX_WORKERS) + 1;
    this.#ledger = new Ledger(new LedgerLayout(createLedgerMemory(seats), seats), 0);
    this.#directory = new LedgerDirectory(this.#ledger);
    this.#keeper = new TableKeeper(this.#directory);
    this.#snapshot = this.#resources.use(new SnapshotFile(options.snapshotFile, { clock, log }));
    this.#pool = this.#createPool();
    this.#link = this.#createLink();
    this.#activation = new Activation({
      clock,
      send: (message) => this.#link.send(message),
      tell: (uid) => this.#tell(uid),
    });
    this.#draining = this.#resources.use(
      new DrainingPods({
        clock,
        ledger: this.#ledger,
        directory: this.#directory,
        send: (endpoints) => this.#link.send({ type: 'drained', endpoints }),
      }),
    );
    this.#unknown = this.#resources.use(
      new UnknownLoad({ clock, log, directory: this.#directory, connections: options.connections }),
    );
  }

  /** Begins to serve. */
  start(): void {
    const { clock, log } = this.#options;
    const saved = this.#snapshot.read();
    this.#mayHaveCrashed = !this.#snapshot.wasClean();
    if (saved) {
      this.#keeper.replace(saved);
      if (this.#mayHaveCrashed) this.#unknown.begin();
      log.info('serving from the last table', { epoch: saved.epoch, version: saved.version });
    }
    this.#pool.start();
    void this.#link.run(this.#stop.signal);
    this.#reportedAt = clock.monotonicMs();
    const ticks = clock.every(REPORT_PERIOD_MS, () => void this.#report());
    this.#resources.defer(() => ticks.cancel());
  }

  /** Workers that accept connections. */
  get listening(): number {
    return this.#pool.listening;
  }

  get deaths(): number {
    return this.#pool.deaths;
  }

  /** The version of control's table that is taken in; 0 when there is none. */
  get version(): number {
    return this.#keeper.table.version;
  }

  /** Shown by the TLS listener from now on; connections that are open are not touched. */
  useCertificate(certificate: Certificate): void {
    this.#certificate = certificate;
    this.#pool.post({ type: 'certificate', certificate });
  }

  /** The gateway's figures in Prometheus' text form. */
  renderMetrics(): string {
    return this.metrics.render();
  }

  /** Accepts no more; what runs may finish for `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    const cut = await this.#pool.drain(graceMs);
    if (cut === 0 && this.#unknown.size === 0) this.#snapshot.markClean();
    else this.#options.log.warn('requests were cut', { cut });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#pool.terminate();
    await this.#resources.disposeAsync();
  }

  #createPool(): WorkerPool {
    const { clock, log, listeners, duplicate, spawn, httpsPort } = this.#options;
    return new WorkerPool({
      clock,
      log,
      ledger: this.#ledger,
      directory: this.#directory,
      listeners,
      duplicate,
      spawn,
      birth: () => ({ httpsPort, certificate: this.#certificate, update: this.#keeper.whole() }),
      onMessage: (message) => this.#onWorker(message),
      onApplied: (applied) => this.#onApplied(applied),
    });
  }

  #createLink(): LinkClient {
    const { clock, log, linkSocket, pid } = this.#options;
    return new LinkClient({
      socket: linkSocket,
      clock,
      log,
      hello: () => {
        const { epoch, version } = this.#keeper.table;
        return { type: 'hello', pid, epoch, version };
      },
      onConnected: () => {
        this.#activation.repeat();
        this.#draining.repeat(this.#directory.placedTargets);
      },
      onMessage: (message) => this.#onControl(message),
    });
  }

  #onControl(message: ControlMessage): boolean {
    const update = this.#keeper.accept(message);
    if (!update) return false;
    this.#snapshot.save(this.#keeper.table);
    if (this.#mayHaveCrashed) {
      // The table on disk may have been older than the crash: pods that only control knows are suspect too.
      this.#mayHaveCrashed = false;
      this.#unknown.begin();
    }
    this.#distribute(update);
    return true;
  }

  #distribute(update: WorkerUpdate): void {
    this.#pool.post({ type: 'update', update });
    this.#draining.onTable(update.targets, update.version);
    if (update.deletedTargets.length > 0 || update.targets.length > 0)
      this.#draining.retain((id) => this.#directory.slotOfPod(id) >= 0);
  }

  #onApplied({ serving, everywhere }: Applied): void {
    const acknowledged = this.#keeper.acknowledge(serving);
    if (acknowledged) this.#link.send({ type: 'ack', ...acknowledged });
    this.#directory.acknowledge(everywhere);
    this.#draining.onApplied(serving);
  }

  #onWorker(message: WorkerMessage): void {
    switch (message.type) {
      case 'waiting':
        return this.#activation.onWaiting(message);
      case 'coldstart': {
        const { namespace, name, pod, totalMs, steps } = message;
        this.#figures.recordColdStart(message);
        this.#link.send({ type: 'coldstart', namespace, name, pod, totalMs, steps, at: this.#options.clock.now() });
        return undefined;
      }
      case 'log':
        return this.#options.writeRequestLog(message.line);
      case 'complaint':
        return this.#options.log.warn(message.text);
      default:
        return undefined;
    }
  }

  async #report(): Promise<void> {
    const { clock } = this.#options;
    const stats = await this.#pool.collect();
    const now = clock.monotonicMs();
    const periodMs = now - this.#reportedAt;
    this.#reportedAt = now;
    const revisions = summarize(stats, periodMs, (uid) => Math.max(0, this.#queued(uid)));
    this.#figures.record(stats, revisions);
    if (this.#keeper.table !== emptyRoutingTable)
      this.#link.send({ type: 'report', at: clock.now(), periodMs, revisions });
    this.#activation.repeat();
  }

  #queued(uid: string): number {
    const slot = this.#directory.slotOfRevision(uid);
    return slot < 0 ? -1 : this.#ledger.queued(slot);
  }

  #tell(uid: string): number {
    const slot = this.#directory.slotOfRevision(uid);
    return slot < 0 ? -1 : this.#ledger.tell(slot);
  }
}
