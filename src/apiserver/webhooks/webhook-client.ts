/**
 * Calls webhooks over HTTPS, on connections that are kept. A webhook is somebody else's program: its answer is bounded
 * in size and time, redirects are not followed, and a certificate that does not chain to the configuration's bundle
 * (or, without one, to the system's authorities) ends the call. Few calls are under way at a time; others wait for
 * their turn within their own time.
 */
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { Gate } from '#base/gate.ts';
import type { WebhookClientConfig } from '#kube/kinds/admissionregistration/webhook.ts';
import type { Store } from '#store/store.ts';
import { NoEndpoint, resolveService } from '#apiserver/webhooks/endpoint.ts';
import { answerError, transportError } from '#apiserver/webhooks/go-http-errors.ts';

/** Most calls under way, and most that wait for their turn. */
const MAX_CALLS = 256;
const MAX_WAITING_CALLS = 2_048;

/** Most idle connections to one webhook. */
const MAX_IDLE_SOCKETS = 8;

/** How long a connection stays open without a call. */
const IDLE_TIMEOUT_MS = 90_000;

/** Longest answer; a patch may replace a whole object, and grows by a third in its encoding. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_ANSWER_HEADER_BYTES = 64 * 1024;

const DEFAULT_PORT = 443;

/** The call did not come to an answer; the message is what Kubernetes' client would say. */
export class CallFailure extends Error {}

export interface WebhookCall {
  readonly clientConfig: WebhookClientConfig;
  readonly timeoutSeconds: number;
  readonly body: object;
}

export interface WebhookClientOptions {
  readonly store: Store;
  readonly clock: Clock;
}

export class WebhookClient implements Disposable {
  readonly #options: WebhookClientOptions;
  readonly #agent = new https.Agent({
    keepAlive: true,
    maxSockets: MAX_CALLS,
    maxFreeSockets: MAX_IDLE_SOCKETS,
    timeout: IDLE_TIMEOUT_MS,
  });
  readonly #gate = new Gate({
    width: MAX_CALLS,
    maxWaiting: MAX_WAITING_CALLS,
    onFull: () => new CallFailure('too many calls of webhooks are waiting'),
  });

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /** The bytes of an answer with a code of success. Throws CallFailure, or the signal's reason when it aborts. */
  async call({ clientConfig, timeoutSeconds, body }: WebhookCall, signal: AbortSignal): Promise<Buffer> {
    const where = placeOf(clientConfig, timeoutSeconds);
    const deadline = new AbortController();
    using _ = this.#options.clock.after(timeoutSeconds * 1_000, () => deadline.abort(), { unref: true });
    try {
      return await this.#send(where, Buffer.from(JSON.stringify(body)), AbortSignal.any([deadline.signal, signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.signal.aborted) throw failed(where, 'context deadline exceeded', error);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #send(where: Place, body: Buffer, signal: AbortSignal): Promise<Buffer> {
    using _ = await this.#gate.enter(signal);
    for (let attempt = 1; ; attempt += 1) {
      const sent = this.#open(where, body, signal);
      try {
        return await answerOf(sent);
      } catch (error) {
        // A kept connection that the other side closed meanwhile: nobody has seen the question.
        const isStale = sent.reusedSocket && isReset(error) && attempt === 1;
        if (!isStale) throw error instanceof CallFailure ? error : failed(where, transportError(error), error);
      }
    }
  }

  #open(where: Place, body: Buffer, signal: AbortSignal): ReturnType<typeof https.request> {
    const { host, port } = this.#addressOf(where);
    const request = https.request({
      agent: this.#agent,
      method: 'POST',
      host,
      port,
      path: where.path,
      ...(isIP(where.serverName) === 0 ? { servername: where.serverName } : {}),
      ...(where.authorities === undefined ? {} : { ca: where.authorities }),
      headers: {
        host: where.hostHeader,
        accept: 'application/json',
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': 'kube-apiserver-admission',
      },
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      signal,
    });
    request.end(body);
    return request;
  }

  #addressOf(where: Place): { host: string; port: number } {
    const { store, clock } = this.#options;
    if (!where.service) return where;
    try {
      return resolveService(store, clock, where.service);
    } catch (error) {
      if (error instanceof NoEndpoint) throw failed(where, error.message, error);
      throw error;
    }
  }
}

interface Place {
  /** As errors show it. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  /** With the query. */
  readonly path: string;
  /** Whom the certificate must name. */
  readonly serverName: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number } | undefined;
  readonly authorities: string | undefined;
}

function placeOf({ url, service, caBundle }: WebhookClientConfig, timeoutSeconds: number): Place {
  const authorities = caBundle ? Buffer.from(caBundle, 'base64').toString('utf8') : undefined;
  const query = `?timeout=${timeoutSeconds}s`;
  if (service) {
    const { namespace, name, port = DEFAULT_PORT } = service;
    const serverName = `${name}.${namespace}.svc`;
    const hostHeader = `${serverName}:${port}`;
    const path = `${pathOf(service.path ?? '')}${query}`;
    const place = { host: serverName, port, hostHeader, path, serverName, authorities };
    return { ...place, url: `https://${hostHeader}${path}`, service: { namespace, name, port } };
  }
  const parsed = URL.parse(url ?? '');
  if (!parsed) throw new CallFailure('the URL of the webhook cannot be read');
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const path = `${pathOf(parsed.pathname)}${query}`;
  return {
    url: `https://${parsed.host}${path}`,
    host,
    port: parsed.port === '' ? DEFAULT_PORT : Number(parsed.port),
    hostHeader: parsed.host,
    path,
    serverName: host,
    service: undefined,
    authorities,
  };
}

/** With one slash in front and none behind. */
function pathOf(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, '')}`;
}

function answerOf(request: ReturnType<typeof https.request>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('response', (response) => {
      readAnswer(response).then(resolve, (error: unknown) => {
        request.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_ANSWER_BYTES) throw new CallFailure(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  const refusal = answerError(response, body);
  if (refusal !== undefined) throw new CallFailure(refusal);
  return body;
}

function failed({ url }: Place, why: string, cause: unknown): CallFailure {
  return new CallFailure(`Post ${JSON.stringify(url)}: ${why}`, { cause });
}

function isReset(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
