/**
 * A container's standard streams: one FIFO each for stdout and stderr, opened read-write by the container itself, so
 * that no death of ours can break its writes; we read the other end and write the log.
 *
 * While nobody reads (control is being started again), up to `PIPE_BYTES` wait in the kernel; then the container's
 * writes block until somebody does.
 */
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import { LineSplitter, type LogStream } from '#runtime/logs/lines.ts';
import { mkfifo, setPipeSize } from '#sys/fs.ts';

/** Room for output while nobody reads, in bytes; the kernel's default limit for a pipe. */
const PIPE_BYTES = 1024 * 1024;

const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

function fifoPath(folder: string, stream: LogStream): string {
  return path.join(folder, stream);
}

/** Makes the FIFOs anew: nothing of an earlier attempt is left in them. */
export function makeFifos(folder: string): void {
  for (const stream of STREAMS) {
    const file = fifoPath(folder, stream);
    if (existsSync(file)) rmSync(file);
    mkfifo(file, 0o600);
  }
}

export interface ContainerStdio extends Disposable {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** The container's ends. Closing them here leaves the container's own copies. */
export function openContainerStdio(folder: string): ContainerStdio {
  const stdin = openSync('/dev/null', constants.O_RDONLY);
  const [stdout = -1, stderr = -1] = STREAMS.map((stream) => openWriteEnd(fifoPath(folder, stream)));
  return {
    stdin,
    stdout,
    stderr,
    [Symbol.dispose]: () => {
      for (const fd of [stdin, stdout, stderr]) closeSync(fd);
    },
  };
}

function openWriteEnd(file: string): number {
  // Read-write: never blocks on open, and the container holds a reader of its own.
  const fd = openSync(file, constants.O_RDWR);
  setPipeSize(fd, PIPE_BYTES);
  return fd;
}

export interface LogPump extends Disposable {
  /** Resolves when every holder of the streams has closed them and everything was written to the log. */
  readonly drained: Promise<void>;
}

/** Reads both FIFOs into `log` until their writers are gone. */
export function pumpLogs(folder: string, log: LogFile, clock: Clock): LogPump {
  const pumps = STREAMS.map((stream) => pumpStream(fifoPath(folder, stream), stream, { log, clock }));
  return {
    drained: Promise.all(pumps.map(({ ended }) => ended)).then(() => undefined),
    [Symbol.dispose]: () => {
      for (const { socket } of pumps) socket.destroy();
    },
  };
}

function pumpStream(file: string, stream: LogStream, { log, clock }: { log: LogFile; clock: Clock }) {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const splitter = new LineSplitter(stream);
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => log.append(splitter.feed(chunk, clock.now())));
    socket.on('close', () => {
      log.append(splitter.end(clock.now()));
      resolve();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
  });
  return { socket, ended };
}
