/**
 * The contract between the edges of the proxy and whoever decides where a request goes.
 *
 *     client edge (Downstream) ⇄ RequestReceiver … ResponseReceiver ⇄ upstream edge (Upstream)
 *
 * A service is shown each request's head and answers with a receiver for the rest of it. Heads and bodies are shown
 * as spans of a buffer that is reused when the call returns. All calls of one request come from one thread, never
 * from within a call to the same side that asked for nothing. Either side may end at any moment.
 */
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import type { Wire } from '#dataplane/proxy/wire.ts';

/** Through which door a client came. */
export type ListenerKind = 'http' | 'https' | 'local';

/** The other end of a client's connection. */
export interface Peer {
  /** IP address without port. */
  readonly address: string;
  readonly port: number;
  readonly listener: ListenerKind;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
}

/** An answer that the proxy itself makes. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

export interface Downstream {
  readonly peer: Peer;
  /** The request was received to its end. */
  readonly requestComplete: boolean;
  /** What was sent waits to be written: hold the source until `onClientDrain`. */
  readonly congested: boolean;
  /** Lets the request's body come; before, and after `pauseBody`, it is held back. */
  readBody(): void;
  pauseBody(): void;
  sendInterim(head: ResponseHead): void;
  /** Begins the answer; `additions` are whole field lines. */
  sendHead(head: ResponseHead, additions: string): void;
  sendBody(buf: Buffer, start: number, end: number): void;
  /** `trailers`: whole field lines. */
  sendEnd(trailers: Buffer | undefined): void;
  /** The whole answer at once; nothing may have been sent before, except interim answers. */
  sendLocal(answer: LocalAnswer): void;
  /** Writes out what was sent. */
  flush(): void;
  /** Cuts the answer short, so that the client can tell. */
  abort(): void;
  /** Sends a 101 and gives up the connection; `undefined` where the protocol has no such thing. */
  switchProtocols(head: ResponseHead): Switched | undefined;
}

export interface Switched {
  readonly wire: Wire;
  /** What the client sent ahead. */
  readonly unread: Buffer;
}

export interface RequestReceiver {
  onBody(buf: Buffer, start: number, end: number): void;
  onBodyEnd(trailers: Buffer | undefined): void;
  /** All bytes of one read were shown. */
  onBodyFlush(): void;
  /** The client went away, or broke the protocol; nothing more can be sent to it. */
  onClientGone(): void;
  onClientDrain(): void;
}

export interface Service {
  /** Undefined: the request was answered on the spot. `head` holds until the call returns. */
  onRequest(downstream: Downstream, head: RequestHead): RequestReceiver | undefined;
}

/** One request at a server behind. */
export interface Upstream {
  /** It carried a request before, so its server may have closed it unnoticed. */
  readonly reused: boolean;
  readonly congested: boolean;
  /** Local port of the connection, for error texts; 0 when unknown. */
  readonly localPort: number;
  begin(request: UpstreamRequest, receiver: ResponseReceiver): void;
  sendBody(buf: Buffer, start: number, end: number): void;
  sendEnd(trailers: Buffer | undefined): void;
  flush(): void;
  /** Stops and continues the answer's body. */
  pause(): void;
  resume(): void;
  /** Drops the request, and what carries it if it must; the receiver hears nothing more. */
  abort(): void;
}

/** The connections of one thread to one server. */
export interface UpstreamSource {
  /** One that is open and free, at once. */
  take(): Upstream | undefined;
  /** A new one; the answer withdraws the wish. */
  connect(user: UpstreamUser): Disposable;
  /** No more requests will come: idle connections close, busy ones when they are done. */
  retire(): void;
}

export interface UpstreamUser {
  onConnected(upstream: Upstream): void;
  /** Nothing was sent. */
  onConnectFailed(failure: UpstreamFailure): void;
}

export interface UpstreamRequest {
  /** As HTTP/1.1; bytes that nobody will change. */
  readonly head: Buffer;
  readonly isHead: boolean;
  readonly body: 'none' | 'length' | 'chunked';
  readonly wantsUpgrade: boolean;
}

/** How a request failed at its server. */
export interface UpstreamFailure {
  /** `refused`: nothing was sent. `stale`: a reused connection closed before any octet of an answer. */
  readonly kind: 'refused' | 'stale' | 'closed' | 'reset' | 'malformed';
  /** For `malformed`: what Go's client says. */
  readonly detail: string;
  readonly error?: Error | undefined;
}

export interface ResponseReceiver {
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onResponseBody(buf: Buffer, start: number, end: number): void;
  onResponseEnd(trailers: Buffer | undefined): void;
  /** All bytes of one read were shown. */
  onResponseFlush(): void;
  /** The server switched protocols; the connection is the receiver's now. */
  onSwitch(head: ResponseHead, wire: Wire, unread: Buffer): void;
  onUpstreamDrain(): void;
  /** Before or amid the answer; nothing more will come. */
  onUpstreamFailure(failure: UpstreamFailure): void;
}
