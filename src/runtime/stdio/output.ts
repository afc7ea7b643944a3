/**
 * A container's output: one FIFO each for stdout and stderr, opened read-write by the container itself, so that no
 * death of ours can break its writes; we read the other end and write the log.
 *
 * While nobody reads (control is being started again), up to `PIPE_BYTES` wait in the kernel; then the container's
 * writes block until somebody does.
 */
import { constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { LogStream } from '#runtime/logs/lines.ts';
import type { OutputLog } from '#runtime/stdio/output-log.ts';
import { mkfifo, setPipeSize } from '#sys/fs.ts';

/** Room for output while nobody reads, in bytes; the kernel's default limit for a pipe. */
const PIPE_BYTES = 1024 * 1024;

const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

export interface OutputEnds {
  readonly stdout: number;
  readonly stderr: number;
}

/** The container's ends of FIFOs that are made anew: nothing of an earlier attempt is left in them. */
export function openOutputs(folder: string): OutputEnds {
  const [stdout = -1, stderr = -1] = STREAMS.map((stream) => {
    makeFifo(path.join(folder, stream));
    return openWriteEnd(path.join(folder, stream));
  });
  return { stdout, stderr };
}

export function makeFifo(file: string): void {
  rmSync(file, { force: true });
  mkfifo(file, 0o600);
}

function openWriteEnd(file: string): number {
  // Read-write: never blocks on open, and the container holds a reader of its own.
  const fd = openSync(file, constants.O_RDWR);
  setPipeSize(fd, PIPE_BYTES);
  return fd;
}

export interface Pump extends Disposable {
  /** Resolves when every holder of the streams has closed them and everything was written to the log. */
  readonly drained: Promise<void>;
}

/** Reads both FIFOs into `log` until their writers are gone. */
export function pumpOutputs(folder: string, log: OutputLog): Pump {
  const pumps = STREAMS.map((stream) => pumpOutput(path.join(folder, stream), stream, log));
  return {
    drained: Promise.all(pumps.map(({ ended }) => ended)).then(() => undefined),
    [Symbol.dispose]: () => {
      for (const { socket } of pumps) socket.destroy();
    },
  };
}

function pumpOutput(file: string, stream: LogStream, log: OutputLog) {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => log.write(stream, chunk));
    socket.on('close', () => {
      log.end(stream);
      resolve();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
  });
  return { socket, ended };
}
