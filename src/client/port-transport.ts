/**
 * The API over a MessagePort: a worker thread of ours uses the same client as everybody else.
 *
 * `servePort` stands beside a transport on one end, `PortTransport` is the transport on the other. Kinds cross as
 * their names and are looked up again (`kinds`), everything else as it is. When the port closes, requests under way
 * fail and watches end.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import { internalError, serviceUnavailable, type Status, StatusError } from '#kube/status.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Subscription,
  subscriptionOf,
  type Transport,
  type WatchRequest,
  type WatchSink,
} from '#client/transport.ts';

type Named<T extends { kind: Kind }> = Omit<T, 'kind'> & { kindName: string };

type Call =
  | { readonly type: 'request'; readonly id: number; readonly request: Named<ApiRequest> }
  | { readonly type: 'watch'; readonly id: number; readonly request: Named<WatchRequest> }
  | { readonly type: 'close'; readonly id: number };

type Reply =
  | { readonly type: 'answer'; readonly id: number; readonly body: ApiResponse }
  | { readonly type: 'failed'; readonly id: number; readonly status: Status }
  | { readonly type: 'event'; readonly id: number; readonly event: WatchEvent<KubeObject> }
  | { readonly type: 'ended'; readonly id: number; readonly status?: Status | undefined };

const nameOfKind = (kind: Kind) => `${resourceOf(kind)}/${kind.version}`;

export class PortTransport implements Transport {
  readonly #port: MessagePort;
  readonly #requests = new Map<number, PromiseWithResolvers<ApiResponse>>();
  readonly #watches = new Map<number, WatchSink>();
  #lastId = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (reply: Reply) => this.#receive(reply));
    port.on('close', () => this.#fail());
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    const pending = Promise.withResolvers<ApiResponse>();
    this.#lastId += 1;
    this.#requests.set(this.#lastId, pending);
    this.#send({ type: 'request', id: this.#lastId, request: withKindName(request) });
    return pending.promise;
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#watches.set(id, sink);
    this.#send({ type: 'watch', id, request: withKindName(request) });
    return subscriptionOf(() => {
      if (this.#watches.delete(id)) this.#send({ type: 'close', id });
    });
  }

  #send(call: Call): void {
    this.#port.postMessage(call);
  }

  #receive(reply: Reply): void {
    if (reply.type === 'event') return this.#watches.get(reply.id)?.onEvent(reply.event);
    if (reply.type === 'ended') {
      const sink = this.#watches.get(reply.id);
      this.#watches.delete(reply.id);
      return sink?.onEnd(reply.status && new StatusError(reply.status));
    }
    const pending = this.#requests.get(reply.id);
    this.#requests.delete(reply.id);
    if (reply.type === 'answer') pending?.resolve(reply.body);
    else pending?.reject(new StatusError(reply.status));
  }

  #fail(): void {
    const gone = serviceUnavailable('the API server has stopped');
    for (const pending of this.#requests.values()) pending.reject(gone);
    for (const sink of this.#watches.values()) sink.onEnd(gone);
    this.#requests.clear();
    this.#watches.clear();
  }
}

/** Answers the calls that arrive on `port` with `transport`. */
export function servePort(port: MessagePort, transport: Transport, kinds: readonly Kind[]): void {
  const byName = new Map(kinds.map((kind) => [nameOfKind(kind), kind]));
  const watches = new Map<number, Subscription>();
  const reply = (message: Reply) => port.postMessage(message);
  port.on('message', (call: Call) => {
    if (call.type === 'close') {
      watches.get(call.id)?.close();
      watches.delete(call.id);
      return;
    }
    const { id } = call;
    const kind = byName.get(call.request.kindName);
    if (!kind) return reply({ type: 'failed', id, status: internalError(`no kind ${call.request.kindName}`).status });
    if (call.type === 'request') {
      transport.request({ ...call.request, kind } as ApiRequest).then(
        (body) => reply({ type: 'answer', id, body }),
        (error: unknown) => reply({ type: 'failed', id, status: statusOf(error) }),
      );
      return;
    }
    const sink: WatchSink = {
      onEvent: (event) => reply({ type: 'event', id, event }),
      onEnd: (error) => reply({ type: 'ended', id, status: error?.status }),
    };
    watches.set(id, transport.watch({ ...call.request, kind }, sink));
  });
  port.on('close', () => {
    for (const watch of watches.values()) watch.close();
  });
}

function withKindName<T extends ApiRequest | WatchRequest>(request: T): Named<T> {
  const { kind, ...rest } = request;
  return { ...rest, kindName: nameOfKind(kind) };
}

function statusOf(error: unknown): Status {
  return error instanceof StatusError ? error.status : internalError(String(error), error).status;
}
