/**
 * Exec and attach over SPDY: one stream for each of stdin, stdout, stderr, errors and window sizes, told apart by the
 * header `streamtype`. The session begins once the client has opened all that it asked for.
 */
import type { Duplex } from 'node:stream';
import { ClientGoneError } from '#runtime/kubelet/errors.ts';
import { SpdyConnection } from '#runtime/kubelet/spdy/connection.ts';
import type { SpdyStream } from '#runtime/kubelet/spdy/stream.ts';
import { acceptSpdy } from '#runtime/kubelet/spdy/upgrade.ts';
import { encodeOutcome } from '#runtime/kubelet/remote/outcome.ts';
import { Resizes } from '#runtime/kubelet/remote/resizes.ts';
import type { RemoteRequest, RemoteSession } from '#runtime/kubelet/remote/session.ts';
import type { StreamOptions } from '#runtime/kubelet/remote/stream-options.ts';

/** How long a client may take to open its streams. */
const STREAMS_TIMEOUT_MS = 30_000;

const PROTOCOLS = ['v4.channel.k8s.io'] as const;

type StreamType = 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize';
type Streams = Readonly<Partial<Record<StreamType, SpdyStream>>>;

/** Rejects when the client opens no streams in time, or goes away before. */
export async function openSpdySession({ upgrade, options, clock }: RemoteRequest): Promise<RemoteSession> {
  const transport = acceptSpdy(upgrade, PROTOCOLS);
  const wanted = wantedStreams(options);
  const streams: Partial<Record<StreamType, SpdyStream>> = {};
  const complete = Promise.withResolvers<void>();
  const connection = new SpdyConnection({
    transport,
    clock,
    accepts: (headers) => isWanted(headers.get('streamtype'), wanted, streams),
    onStream: (stream) => {
      streams[stream.headers.get('streamtype') as StreamType] = stream;
      if (wanted.every((type) => streams[type])) complete.resolve();
    },
  });
  const gone = new AbortController();
  void connection.run().then(() => {
    gone.abort();
    complete.reject(new ClientGoneError('the client went away before it had opened its streams'));
  });
  const late = () => complete.reject(new ClientGoneError('timed out waiting for client to create streams'));
  using _ = clock.after(STREAMS_TIMEOUT_MS, late);
  await complete.promise.catch((error: unknown) => {
    connection.close();
    throw error;
  });
  return sessionOf(connection, streams, gone.signal);
}

function wantedStreams({ stdin, stdout, stderr, tty }: StreamOptions): StreamType[] {
  const wanted: Record<StreamType, boolean> = { error: true, stdin, stdout, stderr, resize: tty };
  return (Object.keys(wanted) as StreamType[]).filter((type) => wanted[type]);
}

function isWanted(type: string | undefined, wanted: readonly StreamType[], have: Streams): boolean {
  const known = wanted.find((one) => one === type);
  return known !== undefined && have[known] === undefined;
}

function sessionOf(connection: SpdyConnection, streams: Streams, gone: AbortSignal): RemoteSession {
  const { stdin, stdout, stderr, error, resize } = streams;
  const resizes = new Resizes();
  resize?.on('data', (chunk: Buffer) => resizes.feed(chunk));
  // Nothing comes in on these, but their ends do.
  for (const output of [stdout, stderr, error]) output?.resume();
  return {
    stdin,
    stdout,
    stderr,
    gone,
    onResize: (listener) => resizes.listen(listener),
    async finish(outcome) {
      const ends = [stdin, stdout, stderr, resize].map((stream) => ended(stream));
      error?.write(encodeOutcome(outcome, 'v4'));
      await Promise.all([...ends, ended(error)]);
      connection.close();
    },
  };
}

/** Half-closes; resolves when that has gone out or never will. */
function ended(stream: Duplex | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed || stream.writableFinished) return resolve();
    stream.once('close', resolve);
    stream.end(() => resolve());
  });
}
