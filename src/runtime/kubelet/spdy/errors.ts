/** What ends a SPDY connection: the other side broke a rule. */

/** Statuses of RST_STREAM. */
export const RESET = { protocolError: 1, refusedStream: 3, cancel: 5, streamAlreadyClosed: 9 } as const;

/** Statuses of GOAWAY. */
export const GO_AWAY = { ok: 0, protocolError: 1 } as const;

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}
