/**
 * Where our processes write their logs: straight to the descriptor, from any thread. A line that cannot be written (the
 * disk is full, the reader of a pipe is gone) is lost. Through Node's streams it would end the process, and that would
 * be all of them, for good.
 */
import { writeSync } from 'node:fs';
import { hasCode } from '#sys/errors.ts';

const STDOUT = 1;
const STDERR = 2;

function writeTo(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch (error) {
    if (!hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EPIPE', 'EAGAIN')) throw error;
  }
}

/** One line of a process's log, without its newline. */
export function writeLog(line: string): void {
  writeTo(STDERR, `${line}\n`);
}

/** Lines of the request log, with their newlines. */
export function writeRequestLog(lines: string): void {
  writeTo(STDOUT, lines);
}
