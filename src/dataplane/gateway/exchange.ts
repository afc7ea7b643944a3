/**
 * One request on its way: waits for a slot, then for a connection, then carries bytes both ways until both messages
 * are complete. Whatever ends it, it gives back its slot, once, and is counted, once.
 *
 *     slot ──▶ connecting ──▶ sent ──▶ answering ──▶ done
 *      ▲            │           │          ├──▶ tunnel ──▶ done
 *      └── refused ─┘  stale ───┘          └──▶ cut ─────▶ done
 *
 * A request is sent again only when nothing of it was written (refused), or when a reused connection closed before
 * any octet of an answer (stale), and then once.
 */
import type { Backend, Endpoint, Revision } from '#dataplane/gateway/backends.ts';
import { ColdStartMarks, serverTimingField } from '#dataplane/gateway/cold-start.ts';
import { ConnectRetry } from '#dataplane/gateway/connect-retry.ts';
import { ANSWERS, badGateway } from '#dataplane/gateway/errors.ts';
import type { ExchangeContext, ExchangePlan, RunningExchange } from '#dataplane/gateway/exchange-context.ts';
import { SlotHolder } from '#dataplane/gateway/slot-holder.ts';
import { Deadline } from '#dataplane/proxy/deadlines.ts';
import type {
  LocalAnswer,
  RequestReceiver,
  Downstream,
  ResponseReceiver,
  Upstream,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamUser,
} from '#dataplane/proxy/exchange.ts';
import { REPLAY_BYTES } from '#dataplane/proxy/limits.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import { Tunnel } from '#dataplane/proxy/tunnel.ts';
import type { Wire } from '#dataplane/proxy/wire.ts';

type State = 'slot' | 'connecting' | 'sent' | 'answering' | 'tunnel' | 'done';

/** What is recorded of a request whose client left, as Knative's metrics have it. */
const CLIENT_GONE_WAITING = 500;
const CLIENT_GONE_SERVED = 502;

export class Exchange implements RunningExchange, RequestReceiver, ResponseReceiver, UpstreamUser {
  readonly #context: ExchangeContext;
  readonly #plan: ExchangePlan;
  readonly #down: Downstream;
  readonly #slot: SlotHolder;
  readonly #startedAt: number;
  readonly #deadline: Deadline;
  readonly revision: Revision | undefined;
  #request: UpstreamRequest;
  #state: State = 'slot';
  #endpoint: Endpoint | undefined;
  #upstream: Upstream | undefined;
  #connecting: Disposable | undefined;
  #retry: ConnectRetry | undefined;
  #tunnel: Tunnel | undefined;
  #marks: ColdStartMarks | undefined;
  /** The body as sent so far, kept while the request may have to be sent again. */
  #replay: Buffer[] | undefined;
  #bodyDone: boolean;
  #trailers: Buffer | undefined;
  #resent = false;
  #inline = true;
  #headSent = false;
  #status = 0;
  #bytesOut = 0;

  constructor(context: ExchangeContext, plan: ExchangePlan) {
    this.#context = context;
    this.#plan = plan;
    this.#down = plan.downstream;
    this.#request = plan.request;
    this.#bodyDone = plan.request.body === 'none';
    this.#startedAt = context.clock.monotonicMs();
    this.#deadline = new Deadline(() => this.#expire());
    this.revision = plan.backend.current?.revision;
    this.#slot = new SlotHolder(context.ledger, this.revision);
  }

  /** Begins; true while the request is under way when this returns. */
  start(): boolean {
    const { revision } = this;
    this.#context.running.add(this);
    if (revision) {
      revision.stats.enter(this.#startedAt);
      const { firstByteLimitMs: limit } = revision;
      if (limit > 0) this.#context.deadlines.set(this.#deadline, limit, this.#startedAt);
    }
    this.#acquire();
    this.#inline = false;
    return this.#state !== 'done';
  }

  get #backend(): Backend | undefined {
    return this.#plan.backend.current;
  }

  // ── a slot ───────────────────────────────────────────────────────────────────────────────────────────────────

  #acquire(): void {
    this.#state = 'slot';
    if (this.#slot.claim(this.#backend?.pods ?? [])) return this.#onSlot();
    const { revision } = this;
    if (!revision) return this.#answer(ANSWERS.noHealthyUpstream);
    return this.#wait(revision);
  }

  #wait(revision: Revision): void {
    // The head lies in a slab that it would keep alive for as long as this waits.
    this.#request = { ...this.#request, head: Buffer.from(this.#request.head) };
    const hasPod = revision.pods.length > 0;
    if (!hasPod) this.#marks ??= new ColdStartMarks(this.#context.epoch.now());
    const acquired = this.#slot.wait(() => this.#onSlot());
    if (acquired === 'granted') return this.#onSlot();
    if (acquired !== 'waiting') return this.#answer(ANSWERS.queueFull);
    this.#context.onWaiting(revision);
    return undefined;
  }

  #onSlot(): void {
    this.#state = 'connecting';
    const endpoint = this.#backend?.endpoints.get(this.#slot.pod);
    // Otherwise it was granted by a thread that knows a newer table: ours is on its way.
    if (endpoint) this.#connectTo(endpoint);
  }

  /** A new table is in force: a slot whose pod was unknown may have a name now, or never get one. */
  onTable(): void {
    if (this.#state !== 'connecting' || this.#endpoint) return;
    const endpoint = this.#backend?.endpoints.get(this.#slot.pod);
    if (endpoint) return this.#connectTo(endpoint);
    this.#slot.release();
    return this.#acquire();
  }

  // ── a connection ─────────────────────────────────────────────────────────────────────────────────────────────

  #connectTo(endpoint: Endpoint): void {
    this.#state = 'connecting';
    this.#endpoint = endpoint;
    if (this.#marks && this.#marks.endpointKnown === 0) this.#marks.endpointKnown = this.#context.epoch.now();
    const free = this.#isReplayable && !this.#resent ? endpoint.source.take() : undefined;
    if (free) this.onConnected(free);
    else this.#connecting = endpoint.source.connect(this);
  }

  /** A body that could not be sent again does not ride a connection that may turn out stale. */
  get #isReplayable(): boolean {
    const { body } = this.#request;
    return body === 'none' || (body === 'length' && this.#plan.contentLength <= REPLAY_BYTES);
  }

  onConnected(upstream: Upstream): void {
    this.#connecting = undefined;
    this.#upstream = upstream;
    this.#state = 'sent';
    if (this.#marks && this.#marks.forwarded === 0) this.#marks.forwarded = this.#context.epoch.now();
    upstream.begin(this.#request, this);
    const replay = this.#replay;
    if (replay) for (const piece of replay) upstream.sendBody(piece, 0, piece.length);
    if (this.#request.body === 'none') return upstream.flush();
    if (replay && this.#bodyDone) upstream.sendEnd(this.#trailers);
    this.#replay = upstream.reused ? (replay ?? []) : undefined;
    this.#down.readBody();
    // In the midst of reading, the body's first part is about to follow, and goes out with the head.
    if (!this.#inline) upstream.flush();
    return undefined;
  }

  onConnectFailed(failure: UpstreamFailure): void {
    this.#connecting = undefined;
    const retry = (this.#retry ??= new ConnectRetry(this.#context));
    const elsewhere = this.#moveElsewhere(retry);
    if (elsewhere) return this.#connectTo(elsewhere);
    if (!retry.again(() => this.#reconnect())) this.#fail(failure);
    return undefined;
  }

  /** Another pod with room, in exchange for the one that cannot be reached. */
  #moveElsewhere(retry: ConnectRetry): Endpoint | undefined {
    const backend = this.#backend;
    retry.tried(this.#slot.pod);
    const others = (backend?.pods ?? []).filter((pod) => !retry.wasTried(pod));
    return this.#slot.move(others) ? backend?.endpoints.get(this.#slot.pod) : undefined;
  }

  #reconnect(): void {
    if (this.#state !== 'connecting') return;
    const endpoint = this.#backend?.endpoints.get(this.#slot.pod);
    if (endpoint) return this.#connectTo(endpoint);
    // The pod is gone from the table: wait for another.
    this.#slot.release();
    this.#endpoint = undefined;
    return this.#acquire();
  }

  // ── the request's body ───────────────────────────────────────────────────────────────────────────────────────

  onBody(buf: Buffer, start: number, end: number): void {
    if (!this.#upstream) return;
    this.#replay?.push(Buffer.from(buf.subarray(start, end)));
    this.#upstream.sendBody(buf, start, end);
    if (this.#upstream.congested) this.#down.pauseBody();
  }

  onBodyEnd(trailers: Buffer | undefined): void {
    this.#bodyDone = true;
    this.#trailers = trailers;
    this.#upstream?.sendEnd(trailers);
  }

  onBodyFlush(): void {
    this.#upstream?.flush();
  }

  onUpstreamDrain(): void {
    if (!this.#bodyDone) this.#down.readBody();
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  onInterim(head: ResponseHead): void {
    this.#firstByte(head.status);
    this.#down.sendInterim(head);
  }

  onHead(head: ResponseHead): void {
    this.#firstByte(head.status);
    this.#status = head.status;
    this.#headSent = true;
    this.#down.sendHead(head, this.#additions());
  }

  /** The timeouts up to the first byte end here; the idle timeout goes on. */
  #firstByte(status: number): void {
    this.#replay = undefined;
    if (this.#state === 'answering') return;
    this.#state = 'answering';
    this.#status = status;
    this.#context.deadlines.cancel(this.#deadline);
    this.#touch();
  }

  /** Something was written: the idle period begins anew. */
  #touch(): void {
    const idleMs = this.revision?.info.idleTimeoutMs ?? 0;
    if (idleMs > 0) this.#context.deadlines.set(this.#deadline, idleMs, this.#context.clock.monotonicMs());
  }

  #additions(): string {
    const { revision } = this;
    const endpoint = this.#endpoint;
    if (!this.#marks || !revision || !endpoint) return '';
    const steps = this.#marks.steps(endpoint.info.started, this.#context.epoch.now());
    this.#context.onColdStart(revision, endpoint, steps);
    return this.#plan.wantsTiming ? serverTimingField(steps) : '';
  }

  onResponseBody(buf: Buffer, start: number, end: number): void {
    this.#bytesOut += end - start;
    this.#down.sendBody(buf, start, end);
    this.#touch();
    if (this.#down.congested) this.#upstream?.pause();
  }

  onResponseFlush(): void {
    this.#down.flush();
  }

  onResponseEnd(trailers: Buffer | undefined): void {
    this.#upstream = undefined;
    this.#down.sendEnd(trailers);
    this.#finish(this.#status);
  }

  onClientDrain(): void {
    this.#upstream?.resume();
  }

  onSwitch(head: ResponseHead, wire: Wire, unread: Buffer): void {
    this.#upstream = undefined;
    this.#firstByte(head.status);
    const switched = this.#down.switchProtocols(head);
    if (!switched) {
      wire.destroy();
      return this.#fail({ kind: 'malformed', detail: 'unexpected 101 Switching Protocols' });
    }
    this.#state = 'tunnel';
    this.#tunnel = new Tunnel(
      switched,
      { wire, unread },
      {
        onTraffic: (bytes) => {
          this.#bytesOut += bytes;
          this.#touch();
        },
        onDone: () => this.#finish(this.#status),
      },
    );
    return undefined;
  }

  // ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────

  onUpstreamFailure(failure: UpstreamFailure): void {
    const endpoint = this.#endpoint;
    const mayResend = failure.kind === 'stale' && !this.#resent && this.#replayIsWhole && endpoint;
    if (!mayResend) return this.#fail(failure);
    this.#upstream = undefined;
    this.#resent = true;
    this.#down.pauseBody();
    return this.#connectTo(endpoint);
  }

  get #replayIsWhole(): boolean {
    return this.#request.body === 'none' || this.#replay !== undefined;
  }

  #fail(failure: UpstreamFailure): void {
    const ports = { local: this.#upstream?.localPort ?? 0, remote: this.#endpoint?.info.port ?? 0 };
    this.#upstream = undefined;
    if (!this.#headSent) return this.#answer(badGateway(failure, ports));
    this.#down.abort();
    return this.#finish(this.#status);
  }

  #expire(): void {
    if (this.#state === 'tunnel') return this.#tunnel?.destroy();
    this.#dropUpstream();
    if (!this.#headSent) return this.#answer(ANSWERS.timeout);
    // An answer that fell silent is cut, so that the client can tell that it is not whole.
    this.#down.abort();
    return this.#finish(this.#status);
  }

  onClientGone(): void {
    const status = this.#state === 'slot' ? CLIENT_GONE_WAITING : CLIENT_GONE_SERVED;
    this.#dropUpstream();
    this.#finish(this.#headSent ? this.#status : status);
  }

  /** Ends at once, for a process that goes away. */
  cut(): void {
    if (this.#state === 'tunnel') return this.#tunnel?.destroy();
    this.#dropUpstream();
    if (!this.#headSent) return this.#answer(ANSWERS.drained);
    this.#down.abort();
    return this.#finish(this.#status);
  }

  #dropUpstream(): void {
    this.#connecting?.[Symbol.dispose]();
    this.#connecting = undefined;
    this.#retry?.[Symbol.dispose]();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.abort();
  }

  #answer(answer: LocalAnswer): void {
    if (this.#state === 'done') return;
    this.#bytesOut = Buffer.byteLength(answer.body ?? '');
    // First the slot: the answer may make the client's next request run.
    this.#finish(answer.status);
    this.#down.sendLocal(answer);
    this.#down.flush();
  }

  #finish(status: number): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    const { clock, deadlines, log, running } = this.#context;
    const now = clock.monotonicMs();
    deadlines.cancel(this.#deadline);
    this.#retry?.[Symbol.dispose]();
    const { revision } = this;
    if (revision) {
      revision.stats.leave(now);
      revision.counts.record(status, now - this.#startedAt);
      const { logged: request } = this.#plan;
      const answer = { status, size: this.#bytesOut, latencyMs: now - this.#startedAt };
      if (request) log.write({ request, ...answer, revision: revision.info, endpoint: this.#endpoint?.info });
    }
    this.#slot.release();
    running.delete(this);
  }
}
