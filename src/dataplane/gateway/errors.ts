/**
 * What the gateway answers by itself. The texts are those that the activator, the queue-proxy and the ingress give:
 * clients match them. `http.Error` of Go adds a newline and `nosniff`; its timeout handler adds neither.
 */
import type { LocalAnswer, UpstreamFailure } from '#dataplane/proxy/exchange.ts';

const TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const NO_SNIFF = ['X-Content-Type-Options', 'nosniff'] as const;

function goError(status: number, text: string, more: readonly (readonly [string, string])[] = []): LocalAnswer {
  return { status, headers: [TEXT, NO_SNIFF, ...more], body: `${text}\n` };
}

export const ANSWERS = {
  /** No route for the host or path: the ingress' own answer has no body. */
  noRoute: { status: 404 },
  /** A Service without a pod, where nothing waits for one. */
  noHealthyUpstream: { status: 503, headers: [['Content-Type', 'text/plain']], body: 'no healthy upstream' },
  queueFull: goError(503, 'pending request queue full', [['Retry-After', '1']]),
  timeout: { status: 504, headers: [TEXT], body: 'activator request timeout' },
  drained: { status: 503, headers: [TEXT], body: 'shutting down\n' },
  ready: { status: 200 },
  notReady: { status: 503 },
  internal: goError(500, 'Internal Server Error'),
} as const satisfies Record<string, LocalAnswer>;

export function revisionNotFound(name: string): LocalAnswer {
  return goError(404, `Error getting active endpoint: revision.serving.knative.dev ${JSON.stringify(name)} not found`);
}

export function redirectToHttps(host: string, path: string, port: number): LocalAnswer {
  const authority = port === 443 ? host : `${host}:${port}`;
  return { status: 301, headers: [['Location', `https://${authority}${path}`]] };
}

export function badProbe(text: string): LocalAnswer {
  return goError(400, text);
}

/**
 * 502 with what Go's transport says of the failure. Its queue-proxy sits beside the application and dials loopback,
 * so that is the address which the texts show; ours stays hidden.
 */
export function badGateway(
  failure: UpstreamFailure,
  ports: { readonly local: number; readonly remote: number },
): LocalAnswer {
  return goError(502, describe(failure, ports));
}

function describe({ kind, detail, error }: UpstreamFailure, ports: { local: number; remote: number }): string {
  const server = `127.0.0.1:${ports.remote}`;
  const code = error && 'code' in error ? error.code : undefined;
  switch (kind) {
    case 'malformed':
      return detail;
    case 'refused':
      return `dial tcp ${server}: ${detail === '' ? dialError(code) : detail}`;
    case 'reset':
      if (code === 'EPIPE') return `write tcp 127.0.0.1:${ports.local}->${server}: write: broken pipe`;
      return `read tcp 127.0.0.1:${ports.local}->${server}: read: connection reset by peer`;
    default:
      return 'EOF';
  }
}

function dialError(code: unknown): string {
  switch (code) {
    case 'EHOSTUNREACH':
      return 'connect: no route to host';
    case 'ENETUNREACH':
      return 'connect: network is unreachable';
    case 'ETIMEDOUT':
      return 'connect: connection timed out';
    default:
      return 'connect: connection refused';
  }
}
