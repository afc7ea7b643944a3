/**
 * The API over HTTPS. Every request takes the same road: who is it, may they, what is it about, what form shall the
 * answer have; only then is a body read. Errors become a Status in one place.
 *
 * The listener is a port of our own or one that another process opened and handed down.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { StatusError } from '#kube/status.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import type { AuditLog } from '#apiserver/audit/audit-log.ts';
import { asStatusError } from '#apiserver/failures.ts';
import { Exchange } from '#apiserver/http/exchange.ts';
import type { HealthCheck } from '#apiserver/http/health.ts';
import type { KubeletProxy } from '#apiserver/http/proxy.ts';
import { sendStatus } from '#apiserver/http/reply.ts';
import { RequestMetrics } from '#apiserver/http/request-metrics.ts';
import { route, upgrade } from '#apiserver/http/router.ts';
import { OpenApiDocuments } from '#apiserver/openapi/documents.ts';
import type { KeyPair } from '#apiserver/pki/certificate.ts';

export interface Patience {
  /** How long the head of a request may take. */
  readonly headersMs: number;
  /** How long a whole request may take to arrive. */
  readonly requestMs: number;
  /** How often it is looked who is too slow. */
  readonly periodMs: number;
}

const PATIENCE: Patience = { headersMs: 30_000, requestMs: 120_000, periodMs: 5_000 };

/** How long a kept connection waits for its next request. */
const KEEP_ALIVE_MS = 180_000;

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 4_000;

export type Listen = { readonly fd: number } | { readonly host: string; readonly port: number };

export interface HttpServerOptions {
  readonly api: ApiServer;
  /** The first names the `port`. */
  readonly listen: readonly Listen[];
  readonly certificate: KeyPair;
  /** Signs the client certificates that are believed. */
  readonly clientAuthority: string;
  readonly logger: Logger;
  /** The product's version, shown by `/version`. */
  readonly version: string;
  readonly patience?: Patience;
  /** Records requests; none are when absent. */
  readonly audit?: AuditLog | undefined;
  /** The way to the node agent; without it logs and exec are 503. */
  readonly kubelet?: KubeletProxy;
  /** Beside the server's own. */
  readonly checks?: readonly HealthCheck[];
  readonly metrics?: MetricRegistry;
  /** Figures of other processes for `/metrics`, in Prometheus' text form. */
  readonly otherMetrics?: () => Promise<string>;
}

/** What the handlers of requests share. */
export interface HttpApi {
  readonly api: ApiServer;
  readonly audit: AuditLog | undefined;
  readonly kubelet: KubeletProxy | undefined;
  readonly checks: readonly HealthCheck[];
  readonly metrics: MetricRegistry;
  readonly otherMetrics: () => Promise<string>;
  readonly requests: RequestMetrics;
  readonly openapi: OpenApiDocuments;
  readonly version: string;
  readonly logger: Logger;
  /** Aborts when the server stops: watches end. */
  readonly stopping: AbortSignal;
}

export class ApiHttpServer implements AsyncDisposable {
  readonly #servers: readonly https.Server[];
  readonly #stop = new AbortController();
  readonly #http: HttpApi;

  private constructor(options: HttpServerOptions) {
    const metrics = options.metrics ?? new MetricRegistry();
    this.#http = {
      api: options.api,
      audit: options.audit,
      kubelet: options.kubelet,
      checks: options.checks ?? [],
      metrics,
      otherMetrics: options.otherMetrics ?? (() => Promise.resolve('')),
      requests: new RequestMetrics(metrics, options.api),
      openapi: new OpenApiDocuments(options.api.registry, options.version),
      version: options.version,
      logger: options.logger,
      stopping: this.#stop.signal,
    };
    this.#servers = options.listen.map(() => this.#createServer(options));
  }

  #createServer(options: HttpServerOptions): https.Server {
    const { patience = PATIENCE } = options;
    const server = https.createServer({
      cert: options.certificate.certificate,
      key: options.certificate.key,
      ca: options.clientAuthority,
      requestCert: true,
      // Without a certificate a caller may still have a token, or be nobody.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: patience.periodMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void upgrade(this.#http, request, { socket, head });
    });
    server.on('tlsClientError', () => {});
    return server;
  }

  static async start(options: HttpServerOptions): Promise<ApiHttpServer> {
    const server = new ApiHttpServer(options);
    for (const [index, one] of server.#servers.entries()) {
      const listen = options.listen[index];
      if (listen) await server.#listen(one, listen);
    }
    return server;
  }

  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  /** Takes up a renewed certificate for connections to come. */
  useCertificate({ certificate, key }: KeyPair, clientAuthority: string): void {
    for (const server of this.#servers) server.setSecureContext({ cert: certificate, key, ca: clientAuthority });
  }

  /** Ends watches, lets short requests finish, then closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#servers.map((server) => this.#close(server)));
  }

  async #close(server: https.Server): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    using _ = this.#http.api.clock.after(1_000, () => server.closeAllConnections(), { unref: true });
    await closed;
  }

  #listen(server: https.Server, listen: Listen): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#http.logger.error('the API listener failed', { error }));
        resolve();
      });
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new Exchange(request, response);
    response.on('error', () => {});
    try {
      await route(this.#http, exchange);
    } catch (error) {
      await this.#fail(exchange, asStatusError(error, this.#http.logger));
    }
  }

  async #fail(exchange: Exchange, error: StatusError): Promise<void> {
    if (exchange.response.headersSent) {
      exchange.response.destroy();
      return;
    }
    try {
      await sendStatus(exchange, error);
    } catch (failed) {
      this.#http.logger.warn('an answer could not be sent', { error: failed });
      exchange.response.destroy();
    }
  }
}
