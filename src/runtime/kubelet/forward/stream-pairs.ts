/**
 * Port-forward as kubectl does it: for each connection that it accepts it opens two SPDY streams with the same
 * `requestid`, one of type `error`, on which we may say why it did not work, and one of type `data`.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { type ForwardTo, isPort } from '#runtime/kubelet/forward/pod-connection.ts';
import { halvesOf, splice } from '#runtime/kubelet/forward/splice.ts';
import { SpdyConnection } from '#runtime/kubelet/spdy/connection.ts';
import type { StreamHeaders } from '#runtime/kubelet/spdy/header-block.ts';
import type { SpdyStream } from '#runtime/kubelet/spdy/stream.ts';

/** How long the second stream of a pair may take. */
const PAIR_TIMEOUT_MS = 30_000;

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
}

export class StreamPairs {
  readonly #connection: SpdyConnection;
  readonly #clock: Clock;
  readonly #forward: ForwardTo;
  readonly #waiting = new Map<string, Pair>();
  readonly #gone = new AbortController();

  constructor(transport: Duplex, clock: Clock, forward: ForwardTo) {
    this.#clock = clock;
    this.#forward = forward;
    this.#connection = new SpdyConnection({
      transport,
      clock,
      accepts: isWanted,
      onStream: (stream) => this.#take(stream),
    });
  }

  /** Serves until the client is through. */
  async run(): Promise<void> {
    await this.#connection.run();
    this.#gone.abort();
  }

  #take(stream: SpdyStream): void {
    const type = stream.headers.get('streamtype') as keyof Pair;
    const id = requestId(stream);
    const pair = this.#waiting.get(id) ?? this.#begin(id);
    if (pair[type]) {
      const message = `error processing stream for request ${id}: ${type} stream already assigned`;
      pair.error?.end(message);
      return void stream.destroy();
    }
    pair[type] = stream;
    const { error, data } = pair;
    if (!error || !data) return;
    this.#waiting.delete(id);
    void this.#serve({ error, data });
  }

  #begin(id: string): Pair {
    const pair: Pair = {};
    this.#waiting.set(id, pair);
    this.#clock.after(PAIR_TIMEOUT_MS, () => this.#giveUp(id, pair), { unref: true });
    return pair;
  }

  #giveUp(id: string, pair: Pair): void {
    if (this.#waiting.get(id) !== pair) return;
    this.#waiting.delete(id);
    pair.error?.end(`(request=${id}) timed out waiting for streams`);
    pair.data?.destroy();
  }

  async #serve({ error, data }: Required<Pair>): Promise<void> {
    // Nothing comes in on it, but its end does.
    error.resume();
    const port = Number(data.headers.get('port'));
    try {
      const socket = await this.#forward(port, this.#gone.signal);
      await splice(halvesOf(data), halvesOf(socket));
      error.end();
    } catch (failure) {
      error.end((failure as Error).message);
      data.destroy();
    }
  }
}

function isWanted(headers: StreamHeaders): boolean {
  const type = headers.get('streamtype');
  return (type === 'error' || type === 'data') && isPort(headers.get('port') ?? '');
}

/** Clients that name no request open the error stream first and the data stream right behind it. */
function requestId({ headers, id }: SpdyStream): string {
  return headers.get('requestid') ?? `stream ${headers.get('streamtype') === 'data' ? id - 2 : id}`;
}
