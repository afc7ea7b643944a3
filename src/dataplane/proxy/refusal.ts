/**
 * The catalogue of what a request head, or a body's framing, is refused for. The texts are those of Go's server,
 * which Knative's clients know: the cause stands in the reason phrase and in the body; the connection closes.
 */
export interface Refusal {
  readonly status: number;
  /** The whole answer. */
  readonly answer: Buffer;
  /** Why, for tests and logs; stable. */
  readonly cause: string;
}

function refusal(status: number, text: string, options: { cause: string; body?: string }): Refusal {
  const body = options.body ?? `${status} ${text}`;
  const head = `HTTP/1.1 ${status} ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n`;
  return { status, answer: Buffer.from(`${head}\r\n${body}`, 'latin1'), cause: options.cause };
}

const bad = (cause: string, detail = '') =>
  refusal(400, detail === '' ? 'Bad Request' : `Bad Request: ${detail}`, { cause });

export const REFUSALS = {
  requestLine: bad('malformed request line'),
  method: bad('invalid method'),
  target: bad('malformed request target'),
  version: bad('malformed version'),
  unsupportedVersion: refusal(505, 'HTTP Version Not Supported: unsupported protocol version', {
    cause: 'unsupported version',
  }),
  connect: refusal(501, 'Not Implemented', { cause: 'CONNECT', body: 'CONNECT is not supported' }),
  lineEnd: bad('line end other than CRLF'),
  fieldName: bad('invalid field name', 'invalid header name'),
  fieldValue: bad('invalid field value', 'invalid header value'),
  fold: bad('folded field line'),
  missingHost: bad('no Host', 'missing required Host header'),
  duplicateHost: bad('more than one Host', 'too many Host headers'),
  malformedHost: bad('malformed Host', 'malformed Host header'),
  contentLength: bad('malformed Content-Length'),
  duplicateContentLength: bad('more than one Content-Length'),
  lengthAndCoding: bad('Content-Length beside Transfer-Encoding'),
  codingInOldVersion: bad('Transfer-Encoding in HTTP/1.0'),
  transferCoding: refusal(501, 'Not Implemented', {
    cause: 'unsupported transfer coding',
    body: 'Unsupported transfer encoding',
  }),
  tooLarge: refusal(431, 'Request Header Fields Too Large', { cause: 'head too large' }),
  tooManyFields: refusal(431, 'Request Header Fields Too Large', { cause: 'too many fields' }),
  chunkSize: bad('malformed chunk size'),
  chunkExtension: bad('malformed or oversized chunk extension'),
  chunkEnd: bad('chunk data without its line end'),
  trailer: bad('malformed trailer'),
  trailerTooLarge: refusal(431, 'Request Header Fields Too Large', { cause: 'trailer too large' }),
  expectation: {
    status: 417,
    answer: Buffer.from('HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 'latin1'),
    cause: 'unknown expectation',
  },
} as const satisfies Record<string, Refusal>;

/** Marks a head that is not complete yet. */
export const INCOMPLETE = 'incomplete';
