/**
 * A watch over HTTP: one event after the other until the time is up, the client goes or the server stops.
 *
 * Nothing waits for a slow client: what it has not taken yet is kept up to a limit, then the watch ends with an
 * error, and the client lists again.
 */
import type { Timer } from '#base/clock.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import { expired, isStatus, type StatusError } from '#kube/status.ts';
import type { Subscription } from '#client/transport.ts';
import type { Target } from '#apiserver/api.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { listOptionsOf } from '#apiserver/http/query.ts';
import { type MediaType, PROTOBUF_TYPE } from '#apiserver/http/negotiate.ts';
import { includeOf, partialOf } from '#apiserver/http/render.ts';
import { setCommonHeaders } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { encodeAny, encodeBookmark, encodeError, encodeEvent } from '#apiserver/http/watch-events.ts';
import { checkWatchOptions } from '#apiserver/list-options.ts';
import { tableOf } from '#apiserver/table/table.ts';
import { watchObjects } from '#apiserver/verbs/watch.ts';

/** What one watcher may leave lying before it is cut off. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** How long a watcher that was cut off may take to read what is left. */
const CUT_OFF_AFTER_MS = 5_000;

/** How often a quiet watch tells how far it is. */
const BOOKMARK_PERIOD_MS = 60_000;

/** How long before its end a watch tells how far it is, so that the next one begins there. As Kubernetes has it. */
const LAST_BOOKMARK_BEFORE_END_MS = 2_000;

/** Watches without a timeout of their own end after this long and up to twice that, so that not all end at once. */
const MIN_TIMEOUT_MS = 30 * 60_000;

export function streamWatch(http: HttpApi, exchange: Exchange, target: Target): Promise<void> {
  const { query } = exchange;
  const options = listOptionsOf(query);
  const timeoutSeconds = query.integer('timeoutSeconds');
  checkWatchOptions({ ...options, sendInitialEvents: query.flag('sendInitialEvents') });
  const stream = new WatchStream(http, exchange, target);
  const onlyName = target.name === '' ? {} : { fieldSelector: `metadata.name=${target.name}` };
  const collection = { ...target, name: '' };
  const pending: WatchEvent<KubeObject>[] = [];
  let deliver = (event: WatchEvent<KubeObject>): void => void pending.push(event);
  try {
    const request = { target: collection, options: { ...options, ...onlyName } };
    const subscription = watchObjects(http.api, request, (event) => deliver(event));
    deliver = (event) => stream.send(event);
    return stream.run(subscription, { timeoutSeconds, pending });
  } catch (error) {
    // Too old a version is no refusal but the first and last event.
    if (!isStatus(error, 'Expired')) throw error;
    return stream.fail(error);
  }
}

interface Run {
  readonly timeoutSeconds: number | undefined;
  readonly pending: readonly WatchEvent<KubeObject>[];
}

class WatchStream {
  readonly #http: HttpApi;
  readonly #exchange: Exchange;
  readonly #target: Target;
  readonly #done = Promise.withResolvers<void>();
  readonly #timers: Timer[] = [];
  #subscription: Subscription | undefined;
  #isCorked = false;
  #isOver = false;
  #hasSentColumns = false;

  constructor(http: HttpApi, exchange: Exchange, target: Target) {
    this.#http = http;
    this.#exchange = exchange;
    this.#target = target;
  }

  /** Resolves when the watch is over. */
  run(subscription: Subscription, { timeoutSeconds, pending }: Run): Promise<void> {
    const { clock } = this.#http.api;
    const { response, query } = this.#exchange;
    this.#subscription = subscription;
    this.#begin();
    response.on('close', () => this.#end());
    this.#http.stopping.addEventListener('abort', this.#finish, { once: true });
    const timeoutMs = timeoutSeconds ? timeoutSeconds * 1_000 : MIN_TIMEOUT_MS * (1 + clock.random());
    this.#timers.push(clock.after(timeoutMs, this.#finish, { unref: true }));
    if (query.flag('allowWatchBookmarks')) this.#scheduleBookmarks(timeoutMs);
    for (const event of pending) this.send(event);
    const { ended } = this.#target.served;
    if (ended?.aborted) this.#finish();
    else ended?.addEventListener('abort', this.#finish, { once: true });
    return this.#done.promise;
  }

  /** The whole watch is one error. */
  fail(error: StatusError): Promise<void> {
    this.#begin();
    this.#write(encodeError(error.status, this.#mediaType));
    this.#finish();
    return this.#done.promise;
  }

  send(event: WatchEvent<KubeObject>): void {
    if (this.#isOver || this.#isCutOff()) return;
    const { group, version, plural } = this.#target.served.kind;
    this.#http.requests.countEvent(group, version, plural);
    this.#write(this.#encode(event));
  }

  #scheduleBookmarks(timeoutMs: number): void {
    const { clock } = this.#http.api;
    const send = () => this.#sendBookmark();
    this.#timers.push(clock.every(BOOKMARK_PERIOD_MS, send));
    const lastMs = timeoutMs - LAST_BOOKMARK_BEFORE_END_MS;
    if (lastMs > 0) this.#timers.push(clock.after(lastMs, send, { unref: true }));
  }

  #begin(): void {
    const { response } = this.#exchange;
    const isProtobuf = this.#mediaType === 'protobuf';
    response.setHeader('Content-Type', isProtobuf ? `${PROTOBUF_TYPE};stream=watch` : 'application/json');
    setCommonHeaders(this.#exchange);
    response.writeHead(200);
    response.flushHeaders();
    this.#exchange.audit?.started(200);
  }

  /** Events of one turn go out as one packet. */
  #write(encoded: string | Buffer): void {
    const { response } = this.#exchange;
    if (!this.#isCorked) {
      this.#isCorked = true;
      response.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        response.uncork();
      });
    }
    response.write(encoded);
  }

  get #mediaType(): MediaType {
    return this.#exchange.format.mediaType;
  }

  #encode(event: WatchEvent<KubeObject>): string | Buffer {
    const { view } = this.#exchange.format;
    if (view === undefined) return encodeEvent(event, this.#mediaType);
    const { type, object } = event;
    const apiVersion = `meta.k8s.io/${view.version}`;
    const shown = view.kind === 'Table' ? this.#tableFor(object, apiVersion) : partialOf(object, apiVersion);
    return encodeAny({ type, object: shown }, this.#mediaType);
  }

  #tableFor(object: KubeObject, apiVersion: string): object {
    const { served } = this.#target;
    const context = { include: includeOf(this.#exchange), now: this.#http.api.clock.now(), apiVersion };
    const table = tableOf(served, [object], context);
    const columnDefinitions = this.#hasSentColumns ? null : table.columnDefinitions;
    this.#hasSentColumns = true;
    const { resourceVersion } = object.metadata;
    return { kind: 'Table', apiVersion, metadata: { resourceVersion }, columnDefinitions, rows: table.rows };
  }

  #sendBookmark(): void {
    if (this.#isCutOff()) return;
    const { revision } = this.#http.api.store;
    this.#write(encodeBookmark(this.#target.served.kind, revision, this.#mediaType));
  }

  /** Ends the watch of a client that is too slow: it hears of it if it ever catches up. */
  #isCutOff(): boolean {
    const { response } = this.#exchange;
    if (response.writableLength <= MAX_BACKLOG_BYTES) return false;
    const { revision, oldestRevision } = this.#http.api.store;
    const { status } = expired(`too old resource version: ${revision} (${oldestRevision})`);
    this.#write(encodeError(status, this.#mediaType));
    this.#finish();
    this.#http.api.clock.after(CUT_OFF_AFTER_MS, () => response.destroy(), { unref: true });
    this.#http.logger.warn('a watcher was too slow and is cut off', { userAgent: this.#exchange.userAgent });
    return true;
  }

  readonly #finish = (): void => {
    if (!this.#isOver) this.#exchange.response.end();
    this.#end();
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#subscription?.close();
    for (const timer of this.#timers) timer.cancel();
    this.#http.stopping.removeEventListener('abort', this.#finish);
    this.#target.served.ended?.removeEventListener('abort', this.#finish);
    this.#done.resolve();
  }
}
