/**
 * Attaches a client to a running container: what the container prints from now on, as its log has it, and the
 * container's standard input where it has one. Ends with the container.
 */
import { Socket } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type KubeletBackend, type KubeletContainer, podFullName } from '#runtime/kubelet/backend.ts';
import { nothingToAttachTo, podDoesNotExist } from '#runtime/kubelet/errors.ts';
import type { Outcome } from '#runtime/kubelet/remote/outcome.ts';
import { serveSession } from '#runtime/kubelet/remote/serve-session.ts';
import type { RemoteSession } from '#runtime/kubelet/remote/session.ts';
import { checkStreamOptions, streamOptionsOf } from '#runtime/kubelet/remote/stream-options.ts';
import type { ContainerTarget } from '#runtime/kubelet/request.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';
import { type LogSource, readLog } from '#runtime/logs/log-reader.ts';

export function serveAttach(backend: KubeletBackend, upgrade: Upgrade, target: ContainerTarget): Promise<void> {
  const options = streamOptionsOf(target.query);
  return serveSession({ upgrade, options, clock: backend.clock }, () => {
    checkStreamOptions(options);
    const container = runningContainer(backend, target);
    return (session) => attach(container, session, options.tty ? 'terminal' : 'streams');
  });
}

function runningContainer(backend: KubeletBackend, target: ContainerTarget): KubeletContainer {
  const pod = backend.findPod(target.namespace, target.pod);
  if (!pod) throw podDoesNotExist();
  const container = pod.findContainer(target.container);
  if (container?.life.type !== 'running') throw nothingToAttachTo(target.container, podFullName(pod.pod));
  return container;
}

type Form = 'terminal' | 'streams';

async function attach(container: KubeletContainer, session: RemoteSession, form: Form): Promise<Outcome> {
  const { spec, current, stdin } = container;
  const { stdout, stderr, gone } = session;
  if (!current?.live) return failed('its output is not followed here');
  if (session.stdin && spec.stdin && !stdin) return failed('its input is not open here');
  using _ = carryInput(container, session.stdin);
  const outputs =
    form === 'terminal'
      ? [carryOutput({ log: current, form }, stdout, gone)]
      : [
          carryOutput({ log: current, form, stream: 'stdout' }, stdout, gone),
          carryOutput({ log: current, form, stream: 'stderr' }, stderr, gone),
        ];
  // A client of the input alone stays until the container ends, too.
  await Promise.all([...outputs, untilClosed(current, gone)]);
  return { type: 'success' };
}

function failed(why: string): Outcome {
  return { type: 'failed', message: `error attaching to container: ${why}` };
}

function carryInput({ spec, stdin }: KubeletContainer, from: Readable | undefined): Disposable {
  if (!from) return { [Symbol.dispose]: () => {} };
  if (!spec.stdin || !stdin) {
    from.resume();
    return { [Symbol.dispose]: () => from.destroy() };
  }
  const to = new Socket({ fd: stdin.open(), readable: false, writable: true });
  pipeline(from, to).catch(() => from.resume());
  to.once('close', () => {
    if (spec.stdinOnce) stdin.end();
  });
  return { [Symbol.dispose]: () => to.destroy() };
}

interface Output {
  readonly log: LogSource;
  readonly form: Form;
  /** Both when absent. */
  readonly stream?: 'stdout' | 'stderr';
}

async function carryOutput({ log, form, stream }: Output, to: Writable | undefined, gone: AbortSignal): Promise<void> {
  if (!to) return;
  const pieces = readLog(log, { tailLines: 0, stream }, gone);
  const lines = Readable.from(form === 'terminal' ? forTerminal(pieces) : pieces, { objectMode: false });
  await pipeline(lines, to).catch(() => undefined);
}

/** The client's terminal is raw: a line feed alone would not go back to the first column. */
async function* forTerminal(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    yield Buffer.from(piece.toString('latin1').replaceAll(/(?<!\r)\n/g, '\r\n'), 'latin1');
  }
}

async function untilClosed({ live }: LogSource, gone: AbortSignal): Promise<void> {
  if (!live || live.isClosed || gone.aborted) return;
  const closed = Promise.withResolvers<void>();
  const check = () => {
    if (live.isClosed || gone.aborted) closed.resolve();
  };
  using _ = live.onChange(check);
  gone.addEventListener('abort', check, { once: true });
  await closed.promise;
}
