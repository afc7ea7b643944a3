/**
 * The C library of the running process, and errno.
 *
 * `bind` resolves functions by their C signature; `check` turns -1 into a `SystemError`. errno is read right after a
 * call returned 32 bits, with nothing allocated in between that could change it: so calls are bound with `i32` as
 * what they return, also where C says `long`. Text goes in as `string`; one with a NUL byte inside is refused.
 *
 * Constants are those of x64 and arm64, which share all but a few (`byArch`).
 */
import { dlopen, getInt32 } from 'node:ffi';
import type { FunctionDefinitions, WrappedFunctionsFromDefinitions } from 'node:ffi';
import { SystemError } from '#sys/errors.ts';

export function bind<const T extends FunctionDefinitions>(definitions: T): WrappedFunctionsFromDefinitions<T> {
  return dlopen(null, definitions).functions;
}

const errnoLocation: bigint = bind({ __errno_location: { return: 'pointer', arguments: [] } }).__errno_location();

/** errno of the calling thread. */
export function errno(): number {
  return getInt32(errnoLocation);
}

/** `result` unless it is negative, which throws what errno says. */
export function check(result: number, syscall: string, path?: string): number {
  if (result >= 0) return result;
  throw new SystemError(errno(), syscall, path);
}

const EINTR = 4;

/** `check` for calls that a signal may interrupt, poll(2) even when it would not wait: they are made again. */
export function checkUninterrupted(call: () => number, syscall: string, path?: string): number {
  for (;;) {
    const result = call();
    if (result >= 0 || errno() !== EINTR) return check(result, syscall, path);
  }
}

const { close } = bind({ close: { return: 'i32', arguments: ['i32'] } });

/**
 * Closes a descriptor that a call of this layer opened. Not `fs.closeSync`: in a worker Node keeps a list of what was
 * opened through `fs` and warns of everything else.
 */
export function closeDescriptor(fd: number): void {
  check(close(fd), 'close');
}

function byArch<T>(values: { readonly x64: T; readonly arm64: T }): T {
  if (process.arch === 'x64') return values.x64;
  if (process.arch === 'arm64') return values.arm64;
  throw new Error(`the processor architecture ${process.arch} is not supported: x64 or arm64 is needed`);
}

/** System calls without a wrapper in every C library that Node runs on. Above 423 all architectures agree. */
export const SYSCALL = {
  mknodat: byArch({ x64: 259, arm64: 33 }),
  pidfdSendSignal: 424,
  moveMount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfdOpen: 434,
  openat2: 437,
  pidfdGetfd: 438,
} as const;

/** `AT_FDCWD`: relative to the working directory. */
export const AT_FDCWD = -100;
export const O_CLOEXEC = 0x80000;
export const O_PATH = 0x200000;
