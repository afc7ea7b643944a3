/**
 * Attaches a client to a running container: what the container prints from now on, as its log has it, and the
 * container's standard input where it has one. Ends with the container; and, unless the container takes one client
 * only (`stdinOnce`), when the client has sent everything.
 */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type AttachedStreams,
  type KubeletBackend,
  type KubeletContainer,
  podFullName,
} from '#runtime/kubelet/backend.ts';
import { nothingToAttachTo, podDoesNotExist } from '#runtime/kubelet/errors.ts';
import type { Outcome } from '#runtime/kubelet/remote/outcome.ts';
import { serveSession } from '#runtime/kubelet/remote/serve-session.ts';
import type { RemoteSession } from '#runtime/kubelet/remote/session.ts';
import { checkStreamOptions, streamOptionsOf } from '#runtime/kubelet/remote/stream-options.ts';
import type { ContainerTarget } from '#runtime/kubelet/request.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';
import { type LogSource, readLog } from '#runtime/logs/log-reader.ts';

/**
 * How long after its client was lost the input of a container ends that takes one client only. It is we who go when
 * the agent is started again, and then the input stays for the next client.
 */
const LOST_CLIENT_MS = 1_000;

export function serveAttach(backend: KubeletBackend, upgrade: Upgrade, target: ContainerTarget): Promise<void> {
  const options = streamOptionsOf(target.query);
  return serveSession({ upgrade, options, clock: backend.clock }, () => {
    checkStreamOptions(options);
    const container = runningContainer(backend, target);
    return (session) => attach(container, session, backend);
  });
}

function runningContainer(backend: KubeletBackend, target: ContainerTarget): KubeletContainer {
  const pod = backend.findPod(target.namespace, target.pod);
  if (!pod) throw podDoesNotExist();
  const container = pod.findContainer(target.container);
  if (container?.life.type !== 'running') throw nothingToAttachTo(target.container, podFullName(pod.pod));
  return container;
}

type Surroundings = Pick<KubeletBackend, 'clock' | 'logger'>;

async function attach(container: KubeletContainer, session: RemoteSession, backend: Surroundings): Promise<Outcome> {
  const { spec, current, streams } = container;
  if (!current?.live || !streams) {
    return { type: 'failed', message: 'error attaching to container: its output is not followed here' };
  }
  using _ = streams.showUnfinished();
  const isThrough = new AbortController();
  const end = AbortSignal.any([session.gone, isThrough.signal]);
  if (spec.tty) session.onResize((size) => streams.resize(size));
  using _input = carryInput({ spec, streams, backend }, session, () => isThrough.abort());
  const outputs = spec.tty
    ? [carryOutput({ log: current }, session.stdout, end)]
    : [
        carryOutput({ log: current, stream: 'stdout' }, session.stdout, end),
        carryOutput({ log: current, stream: 'stderr' }, session.stderr, end),
      ];
  // A client of the input alone stays until the container ends, too.
  await Promise.all([...outputs, untilClosed(current, end)]);
  return { type: 'success' };
}

interface Input {
  readonly spec: KubeletContainer['spec'];
  readonly streams: AttachedStreams;
  readonly backend: Surroundings;
}

/** @param onThrough the client has sent everything, and nothing keeps it here. */
function carryInput({ spec, streams, backend }: Input, session: RemoteSession, onThrough: () => void): Disposable {
  const from = session.stdin;
  const to = from && streams.openInput();
  if (!from || !to) {
    from?.resume();
    return { [Symbol.dispose]: () => from?.destroy() };
  }
  const endsInput = spec.stdinOnce === true && !spec.tty;
  const end = () => {
    streams.endInput().catch((error: unknown) => {
      backend.logger.warn('the input of a container could not be ended', { container: spec.name, error });
    });
  };
  const through = () => (endsInput ? end() : onThrough());
  const broken = () => {
    from.resume();
    if (endsInput && session.gone.aborted) backend.clock.after(LOST_CLIENT_MS, end, { unref: true });
  };
  pipeline(from, to).then(through, broken);
  return { [Symbol.dispose]: () => to.destroy() };
}

interface Output {
  readonly log: LogSource;
  /** Both when absent: a terminal has one. */
  readonly stream?: 'stdout' | 'stderr';
}

async function carryOutput({ log, stream }: Output, to: Writable | undefined, end: AbortSignal): Promise<void> {
  if (!to) return;
  const pieces = Readable.from(readLog(log, { tailLines: 0, stream }, end), { objectMode: false });
  await pipeline(pieces, to).catch(() => undefined);
}

async function untilClosed({ live }: LogSource, end: AbortSignal): Promise<void> {
  if (!live || live.isClosed || end.aborted) return;
  const closed = Promise.withResolvers<void>();
  const check = () => {
    if (live.isClosed || end.aborted) closed.resolve();
  };
  using _ = live.onChange(check);
  end.addEventListener('abort', check, { once: true });
  await closed.promise;
}
