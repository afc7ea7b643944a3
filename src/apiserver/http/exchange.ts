/** One request under way: what was asked, by whom, and how the answer is to look. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serviceUnavailable } from '#kube/status.ts';
import type { RequestAudit } from '#apiserver/audit/request-audit.ts';
import { type Format, PLAIN_JSON } from '#apiserver/http/negotiate.ts';
import { Query } from '#apiserver/http/query.ts';
import { Warnings } from '#apiserver/http/warnings.ts';
import { ANONYMOUS, type Caller, type User } from '#apiserver/user.ts';

export class Exchange implements Caller {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: Query;
  readonly isOutside = true;
  user: User = ANONYMOUS;
  format: Format = PLAIN_JSON;
  /** Absent when the request is not recorded. */
  audit: RequestAudit | undefined;
  readonly #warnings = new Warnings();
  #gone: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.request = request;
    this.response = response;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new Query(mark < 0 ? '' : url.slice(mark + 1));
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get userAgent(): string {
    return this.request.headers['user-agent'] ?? '';
  }

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    if (!this.#gone) {
      const gone = new AbortController();
      this.response.once('close', () => gone.abort(serviceUnavailable('the client is gone')));
      this.#gone = gone;
    }
    return this.#gone.signal;
  }

  warn(text: string): void {
    this.#warnings.add(text);
  }

  annotate(key: string, value: string): void {
    this.audit?.annotate(key, value);
  }

  get warnings(): readonly string[] {
    return this.#warnings.texts;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}
