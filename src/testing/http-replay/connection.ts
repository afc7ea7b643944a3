/** Plain requests over HTTPS, as an administrator or as nobody, with every header as it is. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';
import type { ClusterAccess } from '#client/kubeconfig.ts';

const TIMEOUT_MS = 90_000;

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly isAnonymous: boolean;
}

export interface Head {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

export class Connection implements Disposable {
  readonly #url: URL;
  readonly #user: https.Agent;
  readonly #nobody: https.Agent;

  constructor({ server, caCertificate, clientCertificate, clientKey }: ClusterAccess) {
    const common = { ca: caCertificate, keepAlive: true };
    this.#url = new URL(server);
    this.#user = new https.Agent({ ...common, cert: clientCertificate, key: clientKey });
    this.#nobody = new https.Agent(common);
  }

  /** Resolves with the head of the answer. */
  open(sent: Sent): Promise<Head> {
    const { method, path, headers, body, isAnonymous } = sent;
    const { hostname, port } = this.#url;
    return new Promise((resolve, reject) => {
      const agent = isAnonymous ? this.#nobody : this.#user;
      const request = https.request({ host: hostname, port, method, path, headers, agent, timeout: TIMEOUT_MS });
      request.on('response', (response) => resolve({ request, response }));
      request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      request.on('error', reject);
      request.end(body);
    });
  }

  async exchange(sent: Sent): Promise<Received> {
    const { response } = await this.open(sent);
    return receive(response);
  }

  [Symbol.dispose](): void {
    this.#user.destroy();
    this.#nobody.destroy();
  }
}

export async function receive(response: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const isZipped = response.headers['content-encoding'] === 'gzip' && bytes.length > 0;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes: isZipped ? gunzipSync(bytes) : bytes,
  };
}
