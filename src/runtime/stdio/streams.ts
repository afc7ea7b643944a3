/**
 * What the agent holds of the standard streams of a container that runs: its output goes into its log, clients are let
 * into its input. Dropping this leaves the container as it is; `adoptStreams` makes it anew from what is there.
 */
import { Writable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import { endKeeper, keptDescriptor, type KeeperPlace } from '#runtime/drivers/keeper.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import { isKept, stdioForm } from '#runtime/stdio/form.ts';
import { openInput } from '#runtime/stdio/input.ts';
import { OutputLog } from '#runtime/stdio/output-log.ts';
import { pumpOutputs } from '#runtime/stdio/output.ts';
import { openTerminal } from '#runtime/stdio/terminal.ts';
import { setWindowSize, type WindowSize } from '#sys/pty.ts';

export interface ContainerStreams extends Disposable {
  /** Resolves when every holder of the outputs has closed them and everything was written to the log. */
  readonly drained: Promise<void>;
  /** Until it is disposed of, what a line of output has so far is in the log at once. */
  showUnfinished(): Disposable;
  /** A way into the input for one client, who ends it; undefined when the container takes nothing, or nothing more. */
  openInput(): Writable | undefined;
  /** The one client that the container takes is through: the input ends once the ways into it have. */
  endInput(): Promise<void>;
  /** The size of the terminal, where there is one. */
  resize(size: WindowSize): void;
}

export interface StreamsRequest {
  readonly container: Container;
  /** Where its FIFOs are. */
  readonly folder: string;
  readonly keeper: KeeperPlace;
  readonly log: LogFile;
  readonly clock: Clock;
}

const NEVER = new AbortController().signal;

/** The streams of a container that an earlier agent started. */
export function adoptStreams(request: StreamsRequest): ContainerStreams {
  if (stdioForm(request.container) !== 'terminal') return pipeStreams(request);
  const master = keptDescriptor(request.keeper);
  return master === undefined ? lostStreams() : terminalStreams(request, master);
}

/** Nothing keeps anything open for the container any more: it has ended. */
export async function releaseStreams({ container, keeper, clock }: Omit<StreamsRequest, 'folder' | 'log'>) {
  if (isKept(stdioForm(container))) await endKeeper(keeper, { clock, signal: NEVER });
}

export function pipeStreams(request: StreamsRequest): ContainerStreams {
  const { container, folder, keeper, log, clock } = request;
  const form = stdioForm(container);
  const output = new OutputLog(log, clock);
  const pump = pumpOutputs(folder, output);
  return {
    drained: pump.drained,
    showUnfinished: () => output.showUnfinished(),
    openInput: () => (form === 'no-input' ? undefined : openInput(form, folder, keeper)),
    endInput: () => releaseStreams(request),
    resize: () => {},
    [Symbol.dispose]: () => pump[Symbol.dispose](),
  };
}

/** Takes over `master`. */
export function terminalStreams({ container, log, clock }: StreamsRequest, master: number): ContainerStreams {
  const output = new OutputLog(log, clock);
  const terminal = openTerminal(master, clock);
  const drained = new Promise<void>((resolve) => {
    terminal.output.on('data', (chunk: Buffer) => output.write('stdout', chunk));
    terminal.output.on('end', () => terminal.output.destroy());
    terminal.output.on('close', () => {
      output.end('stdout');
      resolve();
    });
  });
  return {
    drained,
    showUnfinished: () => output.showUnfinished(),
    openInput: () => (container.stdin ? wayInto(terminal.input) : undefined),
    // A terminal has no end of input: who is through types control-D.
    endInput: () => Promise.resolve(),
    resize: (size) => {
      if (!terminal.output.destroyed) setWindowSize(master, size);
    },
    [Symbol.dispose]: () => void terminal.output.destroy(),
  };
}

/** Its end is not the end of `input`. */
function wayInto(input: Writable): Writable {
  return new Writable({
    write: (chunk: Buffer, encoding, done) => void input.write(chunk, encoding, done),
  });
}

/** A terminal that nobody holds any more: the container was hung up on and is ending. */
function lostStreams(): ContainerStreams {
  return {
    drained: Promise.resolve(),
    showUnfinished: () => ({ [Symbol.dispose]: () => {} }),
    openInput: () => undefined,
    endInput: () => Promise.resolve(),
    resize: () => {},
    [Symbol.dispose]: () => {},
  };
}
