/**
 * Requests to Services by the URL that their status gives, each timed. Where the name does not resolve (a machine whose
 * /etc/hosts cannot be written), the gateway is asked at its address with a Host header, and the command that is shown
 * says so.
 */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import type { Clock } from '#base/clock.ts';
import { DemoError } from './errors.ts';

export interface Answer {
  readonly status: number;
  /** `200 OK` */
  readonly statusText: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly ms: number;
}

export interface RequestsOptions {
  readonly clock: Clock;
  /** Where the gateway listens, such as `http://127.0.0.1`. */
  readonly gateway: string;
}

const LIMIT_MS = 60_000;
/** How long a new name may take to resolve. */
const NAME_LIMIT_MS = 2_000;
const POLL_MS = 10;
const AT_ONCE = 10;

export class Requests implements Disposable {
  readonly #options: RequestsOptions;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  readonly #resolves = new Map<string, boolean>();
  #lastAnsweredAt = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** By the monotonic clock. */
  get lastAnsweredAt(): number {
    return this.#lastAnsweredAt;
  }

  /** How a user would send it. */
  async command(url: string, flags: string, signal: AbortSignal): Promise<string> {
    const words = ['curl', ...(flags === '' ? [] : [flags])];
    if (await this.#hasName(url, signal)) return [...words, url].join(' ');
    return [...words, `-H 'Host: ${new URL(url).host}'`, this.#options.gateway].join(' ');
  }

  /** On a connection of its own, as curl does. */
  async get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const target = await this.#target(url, signal);
    return this.#send({ ...target, headers: { ...target.headers, ...headers }, agent: false }, signal);
  }

  /** How often each body came, over `count` requests. */
  async tally(url: string, count: number, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const target = { ...(await this.#target(url, signal)), agent: this.#agent };
    const answers = await Promise.all(Array.from({ length: count }, () => this.#send(target, signal)));
    const counts = new Map<string, number>();
    for (const { status, body } of answers) {
      if (status !== 200) throw new DemoError(`${url} answered ${status}: ${body.trim()}`);
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    return counts;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #target(url: string, signal: AbortSignal): Promise<http.RequestOptions> {
    const { host, hostname, port, pathname } = new URL(
      (await this.#hasName(url, signal)) ? url : this.#options.gateway,
    );
    const asked = new URL(url).host;
    return { hostname, port: port || 80, path: pathname, headers: host === asked ? {} : { host: asked } };
  }

  async #hasName(url: string, signal: AbortSignal): Promise<boolean> {
    const { hostname } = new URL(url);
    const known = this.#resolves.get(hostname);
    if (known !== undefined) return known;
    const { clock } = this.#options;
    const deadline = clock.monotonicMs() + NAME_LIMIT_MS;
    let isResolved = await resolves(hostname);
    while (!isResolved && clock.monotonicMs() < deadline) {
      await clock.sleep(POLL_MS, signal);
      isResolved = await resolves(hostname);
    }
    this.#resolves.set(hostname, isResolved);
    return isResolved;
  }

  #send(options: http.RequestOptions, signal: AbortSignal): Promise<Answer> {
    const { clock } = this.#options;
    const startedAt = clock.monotonicMs();
    return new Promise((resolve, reject) => {
      const outgoing = http.request({ ...options, signal, timeout: LIMIT_MS }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const body = Buffer.concat(pieces).toString('utf8');
          const { statusCode: status = 0, statusMessage = '', headers } = response;
          this.#lastAnsweredAt = clock.monotonicMs();
          resolve({
            status,
            statusText: `${status} ${statusMessage}`,
            headers,
            body,
            ms: this.#lastAnsweredAt - startedAt,
          });
        });
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${LIMIT_MS / 1_000} s`)));
      outgoing.once('error', (error) => reject(signal.aborted ? signal.reason : error));
      outgoing.end();
    });
  }
}

async function resolves(hostname: string): Promise<boolean> {
  try {
    await lookup(hostname);
    return true;
  } catch {
    return false;
  }
}
