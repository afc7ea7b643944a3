/** What Go's HTTP client and Kubernetes' say of a call that failed: clients read it in the message of a 500. */
import type { IncomingMessage } from 'node:http';

/** Most of a body that is shown. */
const MAX_SHOWN_BYTES = 2_048;

const UNTRUSTED = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNRESET: 'EOF',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_HAS_EXPIRED: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ERR_SSL_WRONG_VERSION_NUMBER: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'http: server gave HTTP response to HTTPS client',
};

const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

interface NetworkError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly host?: string;
}

export function transportError(error: unknown): string {
  const { code = '', address = '', port = 0, hostname = '', host = '', message } = error as NetworkError;
  const connecting = CONNECTING[code];
  if (connecting !== undefined) return `dial tcp ${address}:${port}: connect: ${connecting}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${host || 'the name of the webhook'}`;
  }
  return BY_CODE[code] ?? message;
}

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** Undefined for a code of success. */
export function answerError({ statusCode = 0, headers }: IncomingMessage, body: Buffer): string | undefined {
  if (statusCode >= 200 && statusCode < 300) return undefined;
  const known = BY_STATUS[statusCode];
  if (known !== undefined) return known;
  const isText = (headers['content-type'] ?? 'text/').startsWith('text/');
  const said = isText ? body.subarray(0, MAX_SHOWN_BYTES).toString('utf8').trim() : 'unknown';
  if (statusCode === 403) return said;
  if (statusCode < 500)
    return `the server responded with the status code ${statusCode} but did not return more information`;
  return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
}
