/**
 * Runs one control loop: watches map changes to keys, `reconcile` converges one key at a time, failures back off.
 *
 *     const controller = new Controller({ name: 'route', ...env, sources: [
 *       watching(caches.of(Route)),
 *       watching(caches.of(Ingress), ownerOf('Route')),
 *     ], reconcile: (key, context) => reconcileRoute(key, context) });
 *     controller.start();
 */
import { isAbort } from '#base/abort.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Metric, MetricRegistry } from '#base/metrics.ts';
import type { Cache, Change } from '#client/cache.ts';
import { inTurn } from '#controller/turns.ts';
import { WorkQueue } from '#controller/work-queue.ts';
import { keyOf, keyOfRef, type KubeObject, namespaceOf, type ObjectKey } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import { isConflict } from '#kube/status.ts';

/** Reconciles of different keys that one controller runs side by side. */
const DEFAULT_CONCURRENCY = 8;

/** Every key is looked at again after this long, in case something was missed. */
const DEFAULT_RESYNC_MS = 10 * 60_000;

/** Longest that one reconcile may take before its signal aborts. */
const RECONCILE_TIMEOUT_MS = 30_000;

/** Back-off after failures, as Knative's and Kubernetes' work queues have it. */
const RETRY = { baseMs: 5, maxMs: 1_000_000 };

/** Bounds of the duration histogram, in seconds. */
const DURATION_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** What a reconcile answers; nothing means done. */
export type Outcome = void | { readonly requeueAfterMs: number };

/** A failure that trying again cannot cure: the key rests until its object changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export interface ReconcileContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

export interface Source extends Disposable {
  /** Begins to call `enqueue`; also with everything that is there already. */
  start(enqueue: (key: ObjectKey) => void): void;
  /** Every key that the slow period looks at. */
  keys(): Iterable<ObjectKey>;
}

export interface ControllerEnvironment {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
}

export interface ControllerOptions extends ControllerEnvironment {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<Outcome>;
  readonly concurrency?: number;
  readonly resyncMs?: number;
  /** Somebody waits for what these reconciles do, such as a request for its pod: they don't stand in line. */
  readonly isUrgent?: boolean;
}

export class Controller implements AsyncDisposable {
  readonly #options: ControllerOptions;
  readonly #logger: Logger;
  readonly #queue: WorkQueue;
  readonly #backoff = new Backoff(RETRY);
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** One for each reconcile that runs. `AbortSignal.any` would keep them all for longer, and look through them. */
  readonly #aborts = new Set<AbortController>();
  readonly #durations: Metric;
  #resync: Timer | undefined;
  /** How many reconciles are about to begin. */
  #asked = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: options.name });
    this.#queue = new WorkQueue(options.clock, () => this.#schedule());
    const help = 'Duration of reconciles by controller and result.';
    this.#durations = options.metrics.histogram('pinnace_reconcile_duration_seconds', help, DURATION_BOUNDS);
  }

  /** Nothing waits and nothing is being worked on; delayed keys don't count. */
  get isIdle(): boolean {
    return this.#queue.isIdle;
  }

  start(): void {
    for (const source of this.#options.sources) source.start((key) => this.#queue.add(key));
    const period = this.#options.resyncMs ?? DEFAULT_RESYNC_MS;
    this.#resync = this.#options.clock.every(period, () => this.#enqueueAll());
  }

  /** Has `key` reconciled soon. */
  enqueue(key: ObjectKey): void {
    this.#queue.add(key);
  }

  enqueueAfter(key: ObjectKey, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const abort of this.#aborts) abort.abort(this.#stop.signal.reason);
    this.#resync?.cancel();
    this.#queue[Symbol.dispose]();
    for (const source of this.#options.sources) source[Symbol.dispose]();
    await Promise.allSettled(this.#running);
  }

  #enqueueAll(): void {
    for (const source of this.#options.sources) for (const key of source.keys()) this.#queue.add(key);
  }

  /** Handlers of caches may not do work of their own, so reconciles begin in a microtask, or in turn. */
  #schedule(): void {
    while (this.#asked < Math.min(this.#queue.size, this.#room)) {
      this.#asked += 1;
      if (this.#options.isUrgent) queueMicrotask(() => this.#begin());
      else inTurn(this.#options.clock, () => this.#begin());
    }
  }

  get #room(): number {
    if (this.#stop.signal.aborted) return 0;
    return (this.#options.concurrency ?? DEFAULT_CONCURRENCY) - this.#running.size;
  }

  /** The next key, unless there is none any more. */
  #begin(): void {
    this.#asked -= 1;
    const key = this.#room > 0 ? this.#queue.take() : undefined;
    if (key === undefined) return;
    const run = this.#work(key).finally(() => {
      this.#running.delete(run);
      this.#queue.done(key);
      this.#schedule();
    });
    this.#running.add(run);
  }

  async #work(key: ObjectKey): Promise<void> {
    const { clock, name } = this.#options;
    const begun = clock.monotonicMs();
    const logger = this.#logger.with({ key });
    const abort = new AbortController();
    this.#aborts.add(abort);
    using _ = clock.after(RECONCILE_TIMEOUT_MS, () =>
      abort.abort(new Error(`reconcile took longer than ${RECONCILE_TIMEOUT_MS} ms`)),
    );
    try {
      const outcome = await this.#options.reconcile(key, { signal: abort.signal, logger });
      this.#backoff.forget(key);
      if (outcome) this.#queue.addAfter(key, outcome.requeueAfterMs);
      this.#observe(begun, 'success');
    } catch (error) {
      if (this.#stop.signal.aborted && isAbort(error, this.#stop.signal)) return;
      this.#observe(begun, 'error');
      this.#failed(key, error, logger.with({ controller: name }));
    } finally {
      this.#aborts.delete(abort);
    }
  }

  #failed(key: ObjectKey, error: unknown, logger: Logger): void {
    if (error instanceof TerminalError) {
      this.#backoff.forget(key);
      logger.warn('gave up until the object changes', { error });
      return;
    }
    const delayMs = this.#backoff.next(key);
    if (isConflict(error)) logger.debug('somebody else wrote in between, trying again', { delayMs });
    else logger.warn('reconcile failed, trying again', { error, delayMs });
    this.#queue.addAfter(key, delayMs);
  }

  #observe(begun: number, result: string): void {
    const seconds = (this.#options.clock.monotonicMs() - begun) / 1_000;
    this.#durations.observe(seconds, { controller: this.#options.name, result });
  }
}

/** Maps a change of one kind to the keys that it concerns. */
export type KeyMapper<T extends KubeObject> = (change: Change<T>) => Iterable<ObjectKey>;

/** Enqueues the key of every object that changes, or what `map` makes of the change. */
export function watching<T extends KubeObject>(cache: Cache<T>, map: KeyMapper<T> = keyOfChange): Source {
  let subscription: Disposable | undefined;
  return {
    start(enqueue) {
      subscription = cache.subscribe((change) => {
        for (const key of map(change)) enqueue(key);
        // A change may have moved the object away from a key that must hear of it too.
        if (change.previous) for (const key of map({ type: 'added', object: change.previous })) enqueue(key);
      });
    },
    *keys() {
      for (const object of cache.list()) yield* map({ type: 'added', object });
    },
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

function keyOfChange<T extends KubeObject>({ object }: Change<T>): ObjectKey[] {
  return [keyOf(object)];
}

/** The controller owner of the changed object, when it is of `kind` (and of `apiVersion`'s group, when given). */
export function controllerOwner<T extends KubeObject>(kind: { kind: string; group: string }): KeyMapper<T> {
  return ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) return [];
    return [keyOfRef({ namespace: namespaceOf(object) || undefined, name: owner.name })];
  };
}

/** The object that a label names, in the namespace of the changed object. */
export function labelled<T extends KubeObject>(label: string): KeyMapper<T> {
  return ({ object }) => {
    const name = object.metadata.labels?.[label];
    return name ? [keyOfRef({ namespace: namespaceOf(object) || undefined, name })] : [];
  };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
