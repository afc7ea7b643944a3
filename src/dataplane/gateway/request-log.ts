/**
 * One line per request, by the template of config-observability (facts: 9.9). What the template may name is gathered
 * when the head is there, and only when a template is set.
 */
import { compileTemplate, type Template } from '#dataplane/gateway/go-template.ts';
import { NAME } from '#dataplane/gateway/names.ts';
import type { Peer } from '#dataplane/proxy/exchange.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { TargetEndpoint, TargetRevision } from '#protocol/routing.ts';

/** What is known of a request when its head was read. */
export interface LoggedRequest {
  readonly Method: string;
  readonly RequestURI: string;
  readonly Host: string;
  readonly Proto: string;
  readonly RemoteAddr: string;
  readonly ContentLength: number;
  readonly UserAgent: string;
  readonly Referer: string;
  readonly Header: Readonly<Record<string, string[]>>;
}

export interface LoggedAnswer {
  readonly request: LoggedRequest;
  readonly status: number;
  readonly size: number;
  readonly latencyMs: number;
  readonly revision: TargetRevision;
  readonly endpoint: TargetEndpoint | undefined;
}

export class RequestLog {
  #source = '';
  #template: Template | undefined;
  readonly #write: (line: string) => void;
  readonly #complain: (unsupported: string) => void;

  /** `complain` hears of the piece of a template that is not understood. */
  constructor(write: (line: string) => void, complain: (unsupported: string) => void) {
    this.#write = write;
    this.#complain = complain;
  }

  get isOn(): boolean {
    return this.#template !== undefined;
  }

  use(source: string): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#template = undefined;
    if (source === '') return;
    const compiled = compileTemplate(source);
    if (typeof compiled === 'function') this.#template = compiled;
    else this.#complain(compiled.unsupported);
  }

  write(answer: LoggedAnswer): void {
    const { request, revision, endpoint } = answer;
    const line = this.#template?.({
      Request: request,
      Response: { Code: answer.status, Size: answer.size, Latency: answer.latencyMs / 1000 },
      Revision: {
        Name: revision.name,
        Namespace: revision.namespace,
        Service: revision.service,
        Configuration: revision.configuration,
        PodName: endpoint?.pod.split('/')[1] ?? '',
        PodIP: endpoint?.address ?? '',
      },
      TraceID: traceId(request.Header),
    });
    if (line !== undefined && line !== '') this.#write(line.endsWith('\n') ? line : `${line}\n`);
  }
}

export function describeRequest(head: RequestHead, peer: Peer): LoggedRequest {
  const headers: Record<string, string[]> = {};
  for (let i = 0; i < head.fields.count; i += 1) {
    const name = head.buf.toString('latin1', head.fields.nameStart(i), head.fields.nameEnd(i));
    (headers[canonical(name)] ??= []).push(head.valueAt(i));
  }
  return {
    Method: head.method,
    RequestURI: head.path,
    Host: head.host,
    Proto: peer.protocol === 'HTTP/1.1' && head.minorVersion === 0 ? 'HTTP/1.0' : peer.protocol,
    RemoteAddr: `${peer.address.includes(':') ? `[${peer.address}]` : peer.address}:${peer.port}`,
    ContentLength: head.framing === 'chunked' ? -1 : head.contentLength,
    UserAgent: head.value(NAME.userAgent) ?? '',
    Referer: headers['Referer']?.[0] ?? '',
    Header: headers,
  };
}

/** As Go writes field names: `x-b3-traceid` → `X-B3-Traceid`. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

function traceId(headers: Readonly<Record<string, string[]>>): string {
  return headers['Traceparent']?.[0]?.split('-')[1] ?? headers['X-B3-Traceid']?.[0] ?? '';
}
