/** Runs a command in a container for a client. */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '#base/clock.ts';
import type { KubeletBackend } from '#runtime/kubelet/backend.ts';
import { nothingToExecIn, podDoesNotExist } from '#runtime/kubelet/errors.ts';
import { type Command, startCommand } from '#runtime/kubelet/remote/command.ts';
import type { Outcome } from '#runtime/kubelet/remote/outcome.ts';
import { serveSession } from '#runtime/kubelet/remote/serve-session.ts';
import type { RemoteSession } from '#runtime/kubelet/remote/session.ts';
import { checkStreamOptions, type StreamOptions, streamOptionsOf } from '#runtime/kubelet/remote/stream-options.ts';
import type { ContainerTarget } from '#runtime/kubelet/request.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';

/** How long the first words of a command, or of the runtime, are held back. */
const FIRST_WORDS_MS = 10;

export function serveExec(backend: KubeletBackend, upgrade: Upgrade, target: ContainerTarget): Promise<void> {
  const { clock, driver } = backend;
  const streams = streamOptionsOf(target.query);
  const args = target.query.getAll('command');
  return serveSession({ upgrade, options: streams, clock }, () => {
    checkStreamOptions(streams);
    const id = runningContainer(backend, target);
    return async (session) => {
      let command: Command;
      try {
        command = startCommand({ driver, clock, id, args, streams });
      } catch (error) {
        return notStarted(backend, (error as Error).message);
      }
      return runCommand(backend, { command, args, streams }, session);
    };
  });
}

function runningContainer(backend: KubeletBackend, { namespace, pod, container }: ContainerTarget): string {
  const found = backend.findPod(namespace, pod);
  if (!found) throw podDoesNotExist();
  const life = found.findContainer(container)?.life;
  if (life?.type !== 'running') throw nothingToExecIn(container);
  return life.id;
}

interface Execution {
  readonly command: Command;
  readonly args: readonly string[];
  readonly streams: StreamOptions;
}

async function runCommand(
  backend: KubeletBackend,
  { command, args, streams }: Execution,
  session: RemoteSession,
): Promise<Outcome> {
  using _ = command;
  const abandon = () => command.abandon();
  session.gone.addEventListener('abort', abandon, { once: true });
  if (session.gone.aborted) abandon();
  session.onResize((size) => command.resize(size));
  carryInput(session.stdin, command.stdin);
  const words = commandWords(command, { isTerminal: streams.tty, clock: backend.clock });
  const outputs = [carryOutput(words.stdout, session.stdout), carryOutput(words.stderr, session.stderr)];
  try {
    const code = await command.exit;
    await Promise.all(outputs);
    const failure = command.startFailure();
    if (failure !== undefined) return notStarted(backend, `OCI runtime exec failed: ${failure}: unknown`);
    return code === 0 ? { type: 'success' } : { type: 'exit', code, command: args };
  } catch (error) {
    return notStarted(backend, (error as Error).message);
  } finally {
    session.gone.removeEventListener('abort', abandon);
  }
}

function carryInput(from: Readable | undefined, to: Writable | undefined): void {
  if (!from) return;
  if (to) pipeline(from, to).catch(() => discard(from));
  else discard(from);
}

/** The command reads no more, but the client does not know: what it still sends is thrown away. */
function discard(stream: Readable): void {
  stream.resume();
}

/** Resolves when everything has gone out, or the client is gone. */
async function carryOutput(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (!from) return;
  if (!to) return discard(from);
  await pipeline(from, to).catch(() => undefined);
}

interface Words {
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

/**
 * What the command itself prints. The runtime prints why it could not start a command where the command would print its
 * errors, or anything in a terminal; the client is told otherwise. One runtime logs the reason before it prints it,
 * another right after, so first words wait for a moment; but no longer than until standard output proves that they are
 * the command's, and they still come first then.
 */
function commandWords(
  command: Command,
  { isTerminal, clock }: { readonly isTerminal: boolean; readonly clock: Clock },
): Words {
  const begun = new AbortController();
  let doubt: Promise<void> | undefined;
  const unsure = async function* (output: Readable) {
    let isFirst = true;
    for await (const chunk of output as AsyncIterable<Buffer>) {
      if (isFirst && command.startFailure() === undefined) {
        doubt = clock.sleep(FIRST_WORDS_MS, begun.signal).catch(() => undefined);
        await doubt;
      }
      if (isFirst && command.startFailure() !== undefined) return;
      const more = isFirst ? (output.read() as Buffer | null) : null;
      isFirst = false;
      yield more ? Buffer.concat([chunk, more]) : chunk;
    }
  };
  const sure = async function* (output: Readable) {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      begun.abort();
      await doubt;
      doubt = undefined;
      yield chunk;
    }
  };
  const through = (output: Readable | undefined, pass: typeof sure) =>
    output && Readable.from(pass(output), { objectMode: false });
  return { stdout: through(command.stdout, isTerminal ? unsure : sure), stderr: through(command.stderr, unsure) };
}

function notStarted({ clock }: KubeletBackend, why: string): Outcome {
  const id = Buffer.from(clock.randomBytes(32)).toString('hex');
  const message = `failed to exec in container: failed to start exec ${JSON.stringify(id)}: ${why}`;
  return { type: 'failed', message: `error executing command in container: ${message}` };
}
