/**
 * The API over HTTPS, for command lines and for controllers that run against a cluster.
 *
 * One keep-alive agent; a watch is one response whose body is read line by line. Network errors become a
 * `StatusError` with reason ServiceUnavailable, whose cause is the socket's error.
 */
import http from 'node:http';
import https from 'node:https';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import { failure, type Status, StatusError } from '#kube/status.ts';
import type { ClusterAccess } from '#client/kubeconfig.ts';
import { type HttpRequest, httpRequestOf, watchPathOf } from '#client/paths.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Subscription,
  subscriptionOf,
  type Transport,
  type WatchRequest,
  type WatchSink,
} from '#client/transport.ts';

/** Longest answer to a single request, in bytes. */
const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/** Longest line of a watch, in bytes. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** How long the server may take to begin its answer. */
const RESPONSE_TIMEOUT_MS = 60_000;

/** Most sockets to the server at once. */
const MAX_SOCKETS = 256;

export interface HttpTransportOptions {
  readonly access: ClusterAccess;
  readonly userAgent: string;
}

export class HttpTransport implements Transport, Disposable {
  readonly #base: URL;
  readonly #agent: http.Agent;
  readonly #headers: Record<string, string>;
  readonly #options: HttpTransportOptions;

  constructor(options: HttpTransportOptions) {
    const { access, userAgent } = options;
    this.#options = options;
    this.#base = new URL(access.server);
    const common = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.#agent =
      this.#base.protocol === 'https:' ? new https.Agent({ ...common, ...tlsOptions(access) }) : new http.Agent(common);
    this.#headers = { accept: 'application/json', 'user-agent': userAgent };
    if (access.token !== undefined) this.#headers['authorization'] = `Bearer ${access.token}`;
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    const { status, body } = await this.send(httpRequestOf(request), signal);
    const answer = parseAnswer(status, body);
    if (status >= 400) throw new StatusError(answer as Status);
    return withTypes(request.kind, answer);
  }

  /** Any request of the API, as text: for raw paths such as `/readyz`. */
  send(request: HttpRequest, signal?: AbortSignal): Promise<{ status: number; body: string }> {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request, signal);
      // Node would send the body of a DELETE without a word about its length.
      if (body) outgoing.setHeader('content-length', body.length);
      outgoing.setTimeout(RESPONSE_TIMEOUT_MS, () =>
        outgoing.destroy(new Error(`no answer within ${RESPONSE_TIMEOUT_MS} ms`)),
      );
      outgoing.on('error', (error) =>
        reject(signal?.aborted ? signal.reason : unreachable(this.#options.access.server, error)),
      );
      outgoing.on('response', (response) => {
        outgoing.setTimeout(0);
        readAll(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, body: text }),
          (error: unknown) => reject(unreachable(this.#options.access.server, error)),
        );
      });
      outgoing.end(body);
    });
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    let isOpen = true;
    const end = (error?: StatusError) => {
      if (!isOpen) return;
      isOpen = false;
      sink.onEnd(error);
    };
    const outgoing = this.#open({ method: 'GET', path: watchPathOf(request) });
    outgoing.on('error', (error) => end(unreachable(this.#options.access.server, error)));
    outgoing.on('response', (response) => {
      readEvents(response, {
        event: (event) => isOpen && sink.onEvent({ type: event.type, object: withTypes(request.kind, event.object) }),
        end,
      });
    });
    outgoing.end();
    return subscriptionOf(() => {
      isOpen = false;
      outgoing.destroy();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #open(request: HttpRequest, signal?: AbortSignal): http.ClientRequest {
    const headers = {
      ...this.#headers,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      ...(request.accept === undefined ? {} : { accept: request.accept }),
    };
    const client = this.#base.protocol === 'https:' ? https : http;
    const options = {
      method: request.method,
      agent: this.#agent,
      headers,
      ...(signal === undefined ? {} : { signal }),
    };
    return client.request(new URL(request.path, this.#base), options);
  }
}

function tlsOptions(access: ClusterAccess): https.AgentOptions {
  return {
    ...(access.caCertificate === undefined ? {} : { ca: access.caCertificate }),
    ...(access.clientCertificate === undefined ? {} : { cert: access.clientCertificate }),
    ...(access.clientKey === undefined ? {} : { key: access.clientKey }),
    rejectUnauthorized: !access.insecureSkipTlsVerify,
  };
}

async function readAll(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error(`the answer is longer than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(status: number, body: string): ApiResponse {
  try {
    const answer = JSON.parse(body) as ApiResponse;
    if (status < 400 || answer.kind === 'Status') return answer;
  } catch {
    // Not JSON: a proxy's page or Kubernetes' plain texts; the text becomes the message.
  }
  return failure({ code: status, reason: status === 404 ? 'NotFound' : 'Unknown', message: body.trim() });
}

interface EventReader {
  event(event: WatchEvent<KubeObject>): void;
  end(error?: StatusError): void;
}

function readEvents(response: http.IncomingMessage, reader: EventReader): void {
  if (response.statusCode !== 200) {
    readAll(response).then(
      (body) => reader.end(new StatusError(parseAnswer(response.statusCode ?? 0, body) as Status)),
      (error: unknown) => reader.end(unreachable('the server', error)),
    );
    return;
  }
  let pending = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > MAX_EVENT_BYTES) response.destroy(new Error('an event is too long'));
    for (const line of lines) if (line !== '') deliver(line, reader);
  });
  response.on('end', () => reader.end());
  response.on('error', (error) => reader.end(unreachable('the server', error)));
}

function deliver(line: string, reader: EventReader): void {
  const event = JSON.parse(line) as WatchEvent<KubeObject> | { type: 'ERROR'; object: Status };
  if (event.type === 'ERROR') reader.end(new StatusError(event.object));
  else reader.event(event);
}

/** Items of a list come without apiVersion and kind; in process they carry them, so they do here. */
function withTypes(kind: Kind, answer: ApiResponse): ApiResponse {
  if (!('items' in answer)) return answer;
  const types = { apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind };
  return { ...answer, items: answer.items.map((item) => ({ ...types, ...item })) };
}

function unreachable(server: string, cause: unknown): StatusError {
  const message = `cannot reach ${server}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new StatusError(failure({ code: 503, reason: 'ServiceUnavailable', message }), { cause });
}
