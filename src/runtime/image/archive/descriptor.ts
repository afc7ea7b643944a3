/**
 * Reads a descriptor that somebody else opened (standard input) to its end, in a worker thread: file, pipe, socket or
 * terminal, blocking or not. It is read only when there is something to read, so an abort never waits for more, and
 * it stays open: it is not ours.
 */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#sys/errors.ts';
import { setPipeSize } from '#sys/fs.ts';
import { POLL_IN, pollNow } from '#sys/poll.ts';

const READ_BYTES = 512 * 1024;
/** What a pipe is asked to hold, so that its writer goes on while we pause. */
const PIPE_BYTES = 1024 * 1024;
const SHORTEST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;

const readInto = promisify(read);

export async function* readDescriptor(fd: number, clock: Clock, signal: AbortSignal): AsyncGenerator<Buffer> {
  growPipe(fd);
  let pauseMs = SHORTEST_PAUSE_MS;
  for (;;) {
    signal.throwIfAborted();
    const bytes = pollNow(fd, POLL_IN) === 0 ? undefined : await readNow(fd);
    if (bytes === undefined) {
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      continue;
    }
    if (bytes.length === 0) return;
    pauseMs = SHORTEST_PAUSE_MS;
    yield bytes;
  }
}

/** Empty at the end; undefined when another reader was faster. */
async function readNow(fd: number): Promise<Buffer | undefined> {
  try {
    const { bytesRead, buffer } = await readInto(fd, Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EINTR')) return undefined;
    // A terminal or pseudo-terminal whose other side is gone.
    if (hasCode(error, 'EIO')) return Buffer.alloc(0);
    throw error;
  }
}

/** Only pipes have a size; that of others, or beyond what a user may have, stays as it is. */
function growPipe(fd: number): void {
  try {
    setPipeSize(fd, PIPE_BYTES);
  } catch (error) {
    if (!hasCode(error, 'EBADF', 'EINVAL', 'EPERM', 'EBUSY')) throw error;
  }
}
