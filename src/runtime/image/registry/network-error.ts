/**
 * Turns what Node says of a failed connection into our catalogue, worded as Go programs word it, since those are
 * the texts that users of container registries search for.
 */
import { ImageError, quote, type ImageErrorCode } from '#runtime/image/errors.ts';

interface NodeError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

interface Wording {
  readonly code: ImageErrorCode;
  readonly text: string;
}

/** Peer answered in plain HTTP where TLS was expected: the sign to try `http` where that is allowed. */
const NOT_TLS = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

const CONNECT_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_CONSTANT']);

/** The failure of a request before its answer; `verb` is `Head` or `Get`, as in Go's texts. */
export function networkFailure(error: unknown, request: { method: string; url: URL }): ImageError {
  const { code, text } = wordingOf(error, request.url);
  const verb = `${request.method.slice(0, 1)}${request.method.slice(1).toLowerCase()}`;
  const message = `failed to do request: ${verb} ${quote(request.url.href)}: ${text}`;
  return new ImageError(code, message, {
    cause: error,
    request: { method: request.method, url: request.url.href, network: text },
  });
}

export function speaksPlainHttp(error: unknown): boolean {
  return flatten(error).some(({ code = '', message }) => NOT_TLS.has(code) || message.includes('wrong version number'));
}

function wordingOf(error: unknown, url: URL): Wording {
  const first = flatten(error)[0];
  if (!first) return { code: 'ConnectionLost', text: String(error) };
  return (
    connectWording(first, url) ??
    tlsWording(first, url) ?? { code: isBroken(first) ? 'ConnectionLost' : 'UnexpectedAnswer', text: brokenText(first) }
  );
}

function connectWording(error: NodeError, url: URL): Wording | undefined {
  const { code = '', address, port } = error;
  const target = address === undefined ? url.host : `${address.includes(':') ? `[${address}]` : address}:${port ?? ''}`;
  if (code === 'ENOTFOUND') return { code: 'Unreachable', text: `dial tcp: lookup ${url.hostname}: no such host` };
  if (code === 'EAI_AGAIN') {
    const text = `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`;
    return { code: 'Unreachable', text };
  }
  if (code === 'ETIMEDOUT') return { code: 'Unreachable', text: `dial tcp ${target}: i/o timeout` };
  const refused = CONNECT_TEXTS[code];
  return refused ? { code: 'Unreachable', text: `dial tcp ${target}: connect: ${refused}` } : undefined;
}

function tlsWording(error: NodeError, url: URL): Wording | undefined {
  const { code = '', message } = error;
  if (NOT_TLS.has(code)) return { code: 'Tls', text: 'http: server gave HTTP response to HTTPS client' };
  const why = certificateProblem(code, message, url);
  if (why !== undefined) return { code: 'Tls', text: `tls: failed to verify certificate: x509: ${why}` };
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return { code: 'Tls', text: `tls: ${message}` };
  return undefined;
}

function certificateProblem(code: string, message: string, url: URL): string | undefined {
  if (UNKNOWN_AUTHORITY.has(code)) return 'certificate signed by unknown authority';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return 'certificate has expired or is not yet valid';
  }
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined;
  const names = /.*altnames: (.*)$/.exec(message)?.[1]?.replaceAll(/(?:DNS|IP Address):/g, '');
  return `certificate is valid for ${names ?? 'other names'}, not ${url.hostname}`;
}

function isBroken({ code = '', message }: NodeError): boolean {
  return BROKEN.has(code) || message === 'socket hang up' || message === 'aborted';
}

function brokenText(error: NodeError): string {
  if (error.code === 'ECONNRESET' && error.message !== 'socket hang up') return 'read: connection reset by peer';
  return isBroken(error) ? 'unexpected EOF' : error.message;
}

/** Node reports several addresses that failed as one AggregateError. */
function flatten(error: unknown): NodeError[] {
  if (error instanceof AggregateError) return error.errors.flatMap(flatten);
  return error instanceof Error ? [error] : [];
}
