/**
 * What a container is started with, by the form of its streams. An input that ends has its keeper before the container
 * begins; a terminal, which the runtime makes, gets one right after.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { startKeeper } from '#runtime/drivers/keeper.ts';
import { openConsole } from '#runtime/stdio/console.ts';
import { stdioForm } from '#runtime/stdio/form.ts';
import { KEEPER_FIFO, openContainerInput } from '#runtime/stdio/input.ts';
import { openOutputs } from '#runtime/stdio/output.ts';
import {
  type ContainerStreams,
  pipeStreams,
  releaseStreams,
  type StreamsRequest,
  terminalStreams,
} from '#runtime/stdio/streams.ts';
import { duplicate } from '#sys/socket.ts';
import { closeDescriptor } from '#sys/libc.ts';

/** Disposing closes what was only for the start. */
export interface PreparedStdio extends Disposable {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  /** Where the runtime hands over the terminal, if it is to make one. */
  readonly consoleSocket: string | undefined;
  /** The container runs. */
  started(): Promise<ContainerStreams>;
  /** It does not: nothing of it is left. */
  failed(): Promise<void>;
}

export async function prepareStdio(request: StreamsRequest): Promise<PreparedStdio> {
  return stdioForm(request.container) === 'terminal' ? prepareTerminal(request) : preparePipes(request);
}

async function preparePipes(request: StreamsRequest): Promise<PreparedStdio> {
  const { container, folder, keeper } = request;
  using stack = new DisposableStack();
  const close = (fd: number) => closeSync(fd);
  const stdin = stack.adopt(await openContainerInput(stdioForm(container), folder, keeper), close);
  const { stdout, stderr } = openOutputs(folder);
  for (const fd of [stdout, stderr]) stack.adopt(fd, close);
  const streams = pipeStreams(request);
  const owned = stack.move();
  return {
    stdin,
    stdout,
    stderr,
    consoleSocket: undefined,
    started: () => Promise.resolve(streams),
    failed: async () => {
      streams[Symbol.dispose]();
      await releaseStreams(request);
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function prepareTerminal(request: StreamsRequest): PreparedStdio {
  using stack = new DisposableStack();
  const terminal = stack.use(openConsole(request.folder));
  const nothing = stack.adopt(openSync('/dev/null', 'r+'), (fd) => closeSync(fd));
  const owned = stack.move();
  return {
    stdin: nothing,
    stdout: nothing,
    stderr: nothing,
    consoleSocket: terminal.socket,
    started: () => keepTerminal(request, terminal.takeMaster()),
    failed: () => releaseStreams(request),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

async function keepTerminal(request: StreamsRequest, master: number): Promise<ContainerStreams> {
  const { keeper, folder } = request;
  try {
    await startKeeper(keeper, master, path.join(folder, KEEPER_FIFO));
    return terminalStreams(request, duplicate(master));
  } finally {
    closeDescriptor(master);
  }
}
