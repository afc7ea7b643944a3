/**
 * Pipes whose ends are handed to processes, and descriptors that never block. The ends are close-on-exec: a child
 * gets one through `stdio` of spawn and nowhere else.
 */
import { constants } from 'node:fs';
import { bind, check, O_CLOEXEC } from '#sys/libc.ts';

const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;

const libc = bind({
  pipe2: { return: 'i32', arguments: ['buffer', 'i32'] },
  fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
});

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** The caller closes both ends. */
export function openPipe(): Pipe {
  const ends = Buffer.alloc(8);
  check(libc.pipe2(ends, O_CLOEXEC), 'pipe2');
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}

/** For everyone who shares the open file: reads and writes that would wait fail with EAGAIN instead. */
export function setNonBlocking(fd: number): void {
  const flags = check(libc.fcntl(fd, F_GETFL, 0), 'fcntl');
  check(libc.fcntl(fd, F_SETFL, flags | constants.O_NONBLOCK), 'fcntl');
}

/** A copy of a descriptor whose number is at least `lowest`, close-on-exec; the caller closes it. */
export function duplicateFrom(fd: number, lowest: number): number {
  return check(libc.fcntl(fd, F_DUPFD_CLOEXEC, lowest), 'fcntl');
}
