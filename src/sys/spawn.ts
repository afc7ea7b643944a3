/**
 * Starts processes without copying this one.
 *
 * Node's `spawn` forks: the kernel copies the page tables of the whole process, which takes milliseconds with a heap of
 * some size, and afterwards every thread pays once more for each page that it writes to. posix_spawn(3) lends the child
 * our memory until it has become another program. The child gets the descriptors that are named and no other (all of
 * ours are close-on-exec), our environment and working directory, no blocked and no ignored signals.
 *
 * A child belongs to the thread that started it. That thread learns of the end by a pipe that the child holds open, as the
 * descriptor after the ones that were asked for.
 */
import { DynamicLibrary, getRawPointer, getUint64 } from 'node:ffi';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { systemClock } from '#base/clock.ts';
import { SystemError } from '#sys/errors.ts';
import { bind, closeDescriptor } from '#sys/libc.ts';
import { duplicateFrom, openPipe } from '#sys/pipe.ts';
import { addOwnChild, type ExitStatus, reap } from '#sys/process.ts';

/** As large as any C library has them: glibc's are 80 and 336 bytes. */
const FILE_ACTIONS_BYTES = 256;
const ATTRIBUTES_BYTES = 512;
const SIGNAL_SET_BYTES = 128;
const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const POINTER_BYTES = 8;

/** Between the end of the pipe and that of the process: what the kernel takes down in between is short. */
const REAP_INTERVAL_MS = 1;

const libc = bind({
  posix_spawn: { return: 'i32', arguments: ['buffer', 'string', 'buffer', 'buffer', 'buffer', 'pointer'] },
  posix_spawn_file_actions_init: { return: 'i32', arguments: ['buffer'] },
  posix_spawn_file_actions_adddup2: { return: 'i32', arguments: ['buffer', 'i32', 'i32'] },
  posix_spawn_file_actions_destroy: { return: 'i32', arguments: ['buffer'] },
  posix_spawnattr_init: { return: 'i32', arguments: ['buffer'] },
  posix_spawnattr_setflags: { return: 'i32', arguments: ['buffer', 'i32'] },
  posix_spawnattr_setsigdefault: { return: 'i32', arguments: ['buffer', 'buffer'] },
  kill: { return: 'i32', arguments: ['i32', 'i32'] },
});

/** `char **environ`, where the C library keeps it. */
const environ = new DynamicLibrary(null).getSymbol('environ');

/** No signal is ignored and none is blocked, whatever this process does. */
const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
libc.posix_spawnattr_init(attributes);
libc.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff));
libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

export interface SpawnRequest {
  /** Absolute path. */
  readonly executable: string;
  /** Without the name of the program. */
  readonly args: readonly string[];
  /** Descriptors of ours that become the child's 0, 1, 2, …; they stay open here. */
  readonly stdio: readonly number[];
}

export interface SpawnedProcess {
  readonly pid: number;
  readonly exit: Promise<ExitStatus>;
  /** Does nothing once the process has ended. */
  kill(signal: number): void;
}

/** Throws a `SystemError` (ENOENT, EACCES, EAGAIN, …) when the program cannot be started. */
export function spawnProcess({ executable, args, stdio }: SpawnRequest): SpawnedProcess {
  const pipe = openPipe();
  let pid: number;
  try {
    pid = startWith([...stdio, pipe.writeEnd], executable, args);
  } catch (error) {
    closeDescriptor(pipe.readEnd);
    throw error;
  } finally {
    closeDescriptor(pipe.writeEnd);
  }
  let status: ExitStatus | undefined;
  const child = addOwnChild(pid);
  const exit = untilClosed(pipe.readEnd).then(async () => {
    while ((status = reap(pid)) === undefined) await systemClock.sleep(REAP_INTERVAL_MS, NEVER);
    child[Symbol.dispose]();
    return status;
  });
  return { pid, exit, kill: (signal) => void (status ?? libc.kill(pid, signal)) };
}

const NEVER = new AbortController().signal;

function startWith(descriptors: readonly number[], executable: string, args: readonly string[]): number {
  // A source that is a target too would be overwritten before it is used: it is copied out of the way.
  const lowest = descriptors.length;
  const copies: number[] = [];
  const outOfTheWay = (fd: number) => {
    if (fd >= lowest) return fd;
    const copy = duplicateFrom(fd, lowest);
    copies.push(copy);
    return copy;
  };
  const actions = Buffer.alloc(FILE_ACTIONS_BYTES);
  libc.posix_spawn_file_actions_init(actions);
  try {
    for (const [target, fd] of descriptors.entries())
      libc.posix_spawn_file_actions_adddup2(actions, outOfTheWay(fd), target);
    return posixSpawn(executable, actions, [executable, ...args]);
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
    for (const copy of copies) closeDescriptor(copy);
  }
}

function posixSpawn(executable: string, actions: Buffer, argv: readonly string[]): number {
  if (argv.some((text) => text.includes('\0')))
    throw new SystemError(constants.errno.EINVAL, 'posix_spawn', executable);
  const texts = argv.map((text) => Buffer.from(`${text}\0`));
  const pointers = Buffer.alloc((texts.length + 1) * POINTER_BYTES);
  for (const [index, text] of texts.entries()) pointers.writeBigUInt64LE(getRawPointer(text), index * POINTER_BYTES);
  const pid = Buffer.alloc(4);
  const errno = libc.posix_spawn(pid, executable, actions, attributes, pointers, getUint64(environ));
  // Named once more after the call, so that the texts cannot have been collected during it.
  if (errno !== 0 || texts.length === 0) throw new SystemError(errno, 'posix_spawn', executable);
  return pid.readInt32LE(0);
}

/** Resolves when all copies of the other end are closed. */
function untilClosed(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}
