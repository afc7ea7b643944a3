/** Every bound of the proxy, named. Sizes in bytes, times in ms. */

/** Request line and fields, with the line ends; beyond it 431. (The ingress that Knative ships with allows 60 KiB.) */
export const MAX_REQUEST_HEAD_BYTES = 64 * 1024;
/** Status line and fields of an answer; beyond it 502. */
export const MAX_RESPONSE_HEAD_BYTES = 256 * 1024;
/** Fields of one head or trailer section. */
export const MAX_FIELDS = 256;
/** Longest method name. */
export const MAX_METHOD_BYTES = 32;
/** Digits of a Content-Length: keeps it exact in a double. */
export const MAX_LENGTH_DIGITS = 15;
/** Hex digits of a chunk size. */
export const MAX_CHUNK_DIGITS = 12;
/** A chunk's line: size, extensions, line end. */
export const MAX_CHUNK_LINE_BYTES = 1024;
/** Chunk extensions of one body, in total: an endless stream of them is an attack, not a message. */
export const MAX_CHUNK_EXTENSION_BYTES = 16 * 1024;
export const MAX_TRAILER_BYTES = 16 * 1024;
/** 1xx answers before the final one. */
export const MAX_INTERIM_RESPONSES = 32;

/** From a connection's first byte, or its opening, to the end of a request's head. */
export const SLOW_HEAD_TIMEOUT_MS = 60_000;
/** A client's connection between two requests. Longer than what load balancers in front keep theirs. */
export const IDLE_CLIENT_TIMEOUT_MS = 620_000;
/** What a connection that sent nothing yet has left for its first request when the process goes away. */
export const FIRST_REQUEST_GRACE_MS = 500;
/** After a refusal: how long and how much we still read, so that our answer is not lost to a reset. */
export const LINGER_MS = 2_000;
export const LINGER_BYTES = 1024 * 1024;
/** A client that was sent its last answer and takes none of it. */
export const STALLED_WRITE_TIMEOUT_MS = 60_000;
/** Client connections that one worker holds; more are closed at once. */
export const MAX_CLIENT_CONNECTIONS = 20_000;
/** Bytes of a body or of pipelined requests held while a request waits for its turn, before reading stops. */
export const HELD_BYTES = 64 * 1024;

/** One attempt to reach a pod. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** A pooled connection that no request used. */
export const IDLE_UPSTREAM_TIMEOUT_MS = 60_000;
export const MAX_IDLE_PER_ENDPOINT = 1024;
/** Bodies up to this length are kept until the first byte of the answer, and may ride a reused connection. */
export const REPLAY_BYTES = 128 * 1024;

/** The read buffer that all connections of a thread share. */
export const READ_BUFFER_BYTES = 64 * 1024;
/** Unwritten bytes above which a connection's source is paused. */
export const HIGH_WATER_BYTES = 64 * 1024;
/** Pieces of a body up to this size are copied next to the head, to go out in one write. */
export const COALESCE_BYTES = 16 * 1024;

/** HTTP/2: streams per connection. A header list has as many fields as a head of HTTP/1. */
export const MAX_H2_STREAMS = 250;
/** HTTP/2: invalid frames, and streams that the client reset, after which a session ends. */
export const MAX_H2_INVALID_FRAMES = 100;
