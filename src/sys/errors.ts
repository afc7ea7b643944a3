/**
 * What a failed system call throws. `code`, `errno`, `syscall` and `path` are those that Node's own errors carry, so
 * callers tell both apart by `code` alone.
 */
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  /** `errno` is the positive number that the C library reports. */
  constructor(errno: number, syscall: string, path?: string) {
    const code = errorName(errno);
    const target = path === undefined ? '' : ` '${path}'`;
    super(`${code}: ${getSystemErrorMessage(-errno) ?? `error ${errno}`}, ${syscall}${target}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    this.path = path;
  }
}

function errorName(errno: number): string {
  const name = getSystemErrorName(-errno);
  return name.startsWith('Unknown') ? `E${errno}` : name;
}

/** True when `error` is a system error (ours or Node's) with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
