/**
 * An admission webhook as a program of its own: a real HTTPS server on the loopback with a certificate for the names
 * that it is called by. It keeps the questions and answers what the test says.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '#base/clock.ts';
import { createAuthority, issueCertificate } from '#apiserver/pki/certificate.ts';

const VALID_FOR_MS = 3_600_000;

/** The request of an AdmissionReview, as far as tests look. */
export interface Question {
  readonly uid: string;
  readonly kind: object;
  readonly resource: object;
  readonly requestKind: object;
  readonly requestResource: object;
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: string;
  readonly userInfo: { readonly username: string; readonly groups: readonly string[] };
  readonly object: Record<string, unknown> | null;
  readonly oldObject: Record<string, unknown> | null;
  readonly dryRun: boolean;
  readonly options: Record<string, unknown>;
}

/** The response of an AdmissionReview without its uid. */
export type Answer = Record<string, unknown>;

export interface WebhookServerOptions {
  /** Names and addresses of the certificate. */
  readonly names?: readonly string[];
  readonly answer?: (question: Question, path: string) => Answer | Promise<Answer>;
  /** Answers in place of a review, for those who misbehave. */
  readonly raw?: (response: ServerResponse, question: Question) => void;
}

export class WebhookServer implements AsyncDisposable {
  readonly questions: Question[] = [];
  /** Paths with their queries, as they were called. */
  readonly paths: string[] = [];
  readonly hosts: string[] = [];
  /** Connections that were made. */
  connections = 0;
  readonly caBundle: string;
  readonly #server: https.Server;
  readonly #options: WebhookServerOptions;
  readonly #sockets = new Set<Socket>();

  private constructor(options: WebhookServerOptions) {
    this.#options = options;
    const subject = { commonName: 'authority of a test' };
    const authority = { subject, ...createAuthority({ subject, validForMs: VALID_FOR_MS, clock: systemClock }) };
    const names = options.names ?? ['127.0.0.1', 'localhost'];
    const pair = issueCertificate(
      { subject: { commonName: 'webhook' }, usage: 'server', names, validForMs: VALID_FOR_MS, clock: systemClock },
      authority,
    );
    this.caBundle = Buffer.from(authority.certificate).toString('base64');
    this.#server = https.createServer({ cert: pair.certificate, key: pair.key });
    this.#server.on('request', (request, response) => void this.#handle(request, response));
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => {});
  }

  static async start(options: WebhookServerOptions = {}): Promise<WebhookServer> {
    const server = new WebhookServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** For a webhook that is called by its address. */
  clientConfig(path = '/'): { url: string; caBundle: string } {
    return { url: `https://127.0.0.1:${this.port}${path}`, caBundle: this.caBundle };
  }

  /** Closes every connection, as a pod that is replaced does. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const review = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { apiVersion: string; request: Question };
    this.questions.push(review.request);
    this.paths.push(request.url ?? '');
    this.hosts.push(request.headers.host ?? '');
    if (this.#options.raw) return this.#options.raw(response, review.request);
    const answer = (await this.#options.answer?.(review.request, request.url ?? '')) ?? { allowed: true };
    const { apiVersion } = review;
    const body = { apiVersion, kind: 'AdmissionReview', response: { uid: review.request.uid, ...answer } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  }
}

/** The members of an answer that carries a JSON patch. */
export function patching(...operations: readonly object[]): Answer {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch };
}
