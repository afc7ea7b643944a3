/**
 * Processes that are not our children, held by a descriptor that stays theirs when their number is used again.
 *
 * A parent learns by wait(2) how a child ended; anybody else can ask the kernel from 6.15 on (`PIDFD_GET_INFO`), and
 * on older kernels learns only that it ended.
 */
import { bind, check, closeDescriptor, SYSCALL } from '#sys/libc.ts';
import { POLL_IN, pollNow, watchReady } from '#sys/poll.ts';
import { processStat, type ProcessIdentity } from '#sys/proc.ts';
import { type ExitStatus, parseWaitStatus } from '#sys/process.ts';
import { hasCode } from '#sys/errors.ts';

const { syscall } = bind({ syscall: { return: 'i32', arguments: ['i64', 'i64', 'i64', 'i64', 'i64'] } });
const { ioctl } = bind({ ioctl: { return: 'i32', arguments: ['i32', 'u64', 'buffer'] } });

/** `_IOWR(0xFF, 11, struct pidfd_info)` for the struct's first published size. */
const PIDFD_GET_INFO = 0xc040ff0bn;
const PIDFD_INFO_BYTES = 64;
const PIDFD_INFO_EXIT = 8n;
const EXIT_CODE_OFFSET = 60;

/** The caller closes the descriptor. Throws ESRCH when there is no such process. */
export function pidfdOpen(pid: number): number {
  return check(syscall(BigInt(SYSCALL.pidfdOpen), BigInt(pid), 0n, 0n, 0n), 'pidfd_open');
}

/** A descriptor for exactly this process; undefined when it is gone or its number has a new owner. */
export function pidfdOf({ pid, startTicks }: ProcessIdentity): number | undefined {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(pid);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
  // The descriptor was opened first, so the number cannot have changed hands when the start time is read and equal.
  if (processStat(pid)?.startTicks === startTicks) return pidfd;
  closeDescriptor(pidfd);
  return undefined;
}

/** A duplicate of descriptor `fd` of the process, close-on-exec. Needs the right to trace it. */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return check(syscall(BigInt(SYSCALL.pidfdGetfd), BigInt(pidfd), BigInt(fd), 0n, 0n), 'pidfd_getfd');
}

/** False when the process is gone. */
export function pidfdSendSignal(pidfd: number, signal: number): boolean {
  const result = syscall(BigInt(SYSCALL.pidfdSendSignal), BigInt(pidfd), BigInt(signal), 0n, 0n);
  try {
    check(result, 'pidfd_send_signal');
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Sends `signal` to exactly this process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  const pidfd = pidfdOf(identity);
  if (pidfd === undefined) return false;
  try {
    return pidfdSendSignal(pidfd, signal);
  } finally {
    closeDescriptor(pidfd);
  }
}

export function hasExited(pidfd: number): boolean {
  return (pollNow(pidfd, POLL_IN) & POLL_IN) !== 0;
}

/** How the process ended; undefined until its parent has waited for it, and always on kernels before 6.15. */
export function pidfdExitStatus(pidfd: number): ExitStatus | undefined {
  const info = Buffer.alloc(PIDFD_INFO_BYTES);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, 0);
  if (ioctl(pidfd, PIDFD_GET_INFO, info) < 0) return undefined;
  if ((info.readBigUInt64LE(0) & PIDFD_INFO_EXIT) === 0n) return undefined;
  return parseWaitStatus(info.readInt32LE(EXIT_CODE_OFFSET));
}

/**
 * How a process that is nobody's child here ended: from the process table until its parent has waited for it, from
 * the kernel's memory of it afterwards. Undefined while it runs, and when an older kernel has forgotten.
 */
export function foreignExitStatus({ pid, startTicks }: ProcessIdentity, pidfd: number): ExitStatus | undefined {
  const stat = processStat(pid);
  if (stat?.startTicks === startTicks && stat.state === 'Z') return parseWaitStatus(stat.waitStatus);
  return pidfdExitStatus(pidfd);
}

/** Calls `onExit` once the process has ended, be it a child or not. Main thread only. */
export function watchExit(pidfd: number, onExit: () => void, options: { unref?: boolean } = {}): Disposable {
  return watchReady(pidfd, onExit, options);
}
