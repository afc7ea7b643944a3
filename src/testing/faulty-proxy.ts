/**
 * Stands between a client and a real HTTP server and does what networks and gateways do: cuts an answer short,
 * sends elsewhere, asks to slow down, stays silent. It keeps what was asked.
 */
import {
  createServer,
  type IncomingMessage,
  request as sendRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What becomes of a request: nothing said passes it on. */
export type Fault =
  /** Passes that many bytes of the body on, then breaks the connection. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Breaks the connection without an answer. */
  | { readonly kind: 'drop' }
  /** Never answers. */
  | { readonly kind: 'silence' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Passes it on without these request or response headers. */
  | { readonly kind: 'strip'; readonly headers: readonly string[] };

export class FaultyProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #target: string;
  readonly #fault: (request: SeenRequest, earlier: number) => Fault | undefined;

  private constructor(target: string, fault: (request: SeenRequest, earlier: number) => Fault | undefined) {
    this.#target = target;
    this.#fault = fault;
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  /** `target` is `host:port`. The fault is chosen knowing how many requests with the same URL and method came before. */
  static async start(
    target: string,
    fault: (request: SeenRequest, earlier: number) => Fault | undefined,
  ): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, fault);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    const seen: SeenRequest = { method, url, headers };
    const earlier = this.seen.filter((other) => other.url === url && other.method === method).length;
    this.seen.push(seen);
    const fault = this.#fault(seen, earlier);
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'drop') {
      request.socket.destroy();
      return;
    }
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { ...fault.headers }).end(fault.body);
      return;
    }
    this.#forward(request, response, fault);
  }

  #forward(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const stripped = fault?.kind === 'strip' ? fault.headers : [];
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !stripped.includes(name)));
    const [host, port] = this.#target.split(':');
    const onward = sendRequest(
      { host, port, method: request.method, path: request.url, headers: { ...headers, host: this.#target } },
      (answer) => {
        const kept = Object.entries(answer.headers).filter(
          ([name, value]) => !stripped.includes(name) && value !== undefined,
        );
        response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
        if (fault?.kind === 'cut') cut(answer, response, fault.afterBytes);
        else answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }
}

function cut(answer: IncomingMessage, response: ServerResponse, afterBytes: number): void {
  let left = afterBytes;
  if (left === 0) {
    response.flushHeaders();
    setImmediate(() => response.destroy());
    return;
  }
  answer.on('data', (chunk: Buffer) => {
    if (left <= 0) return;
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    // Given to the network before the connection breaks.
    if (left <= 0) response.write(piece, () => setImmediate(() => response.destroy()));
    else response.write(piece);
  });
}
