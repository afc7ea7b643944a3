/**
 * Readiness of file descriptors that Node has no stream for (a pidfd, a socket in the making).
 *
 * `pollNow` asks once and never waits. `watchReady` uses the event loop that runs anyway: libuv's own poll handle,
 * reached through ffi, one shared native callback. A watch keeps the process alive only if asked to. Main thread only:
 * a worker's loop must be empty of foreign handles when the worker ends.
 */
import { DynamicLibrary, getCurrentEventLoop, getRawPointer } from 'node:ffi';
import { isMainThread } from 'node:worker_threads';
import { assert } from '#base/assert.ts';
import { bind, checkUninterrupted } from '#sys/libc.ts';
import { SystemError } from '#sys/errors.ts';

export const POLL_IN = 1;
export const POLL_OUT = 4;

const { poll } = bind({ poll: { return: 'i32', arguments: ['buffer', 'u64', 'i32'] } });

/** The events of `fd` that are there now; errors and hang-up are always reported. */
export function pollNow(fd: number, events: number): number {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(events, 4);
  checkUninterrupted(() => poll(entry, 1n, 0), 'poll');
  return entry.readInt16LE(6);
}

interface Watch {
  /** The memory of the uv_poll_t: libuv's as long as the watch is open. */
  readonly memory: ArrayBuffer;
  readonly onReady: () => void;
}

const UV_HANDLE_POLL = 8;
const UV_READABLE = 1;
const UV_DISCONNECT = 4;

const watches = new Map<bigint, Watch>();
let library: ReturnType<typeof openLoopLibrary> | undefined;

function openLoopLibrary() {
  const lib = new DynamicLibrary(null);
  const uv = lib.getFunctions({
    uv_handle_size: { return: 'u64', arguments: ['i32'] },
    uv_poll_init: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
    uv_poll_start: { return: 'i32', arguments: ['pointer', 'i32', 'pointer'] },
    uv_poll_stop: { return: 'i32', arguments: ['pointer'] },
    uv_close: { return: 'void', arguments: ['pointer', 'pointer'] },
    uv_unref: { return: 'void', arguments: ['pointer'] },
  });
  const handleSize = Number(uv.uv_handle_size(UV_HANDLE_POLL));
  const onPoll = lib.registerCallback({ return: 'void', arguments: ['pointer', 'i32', 'i32'] }, (handle) => {
    uv.uv_poll_stop(handle);
    const watch = watches.get(handle as bigint);
    // Not called from here: native code below must neither see an exception nor have its handle closed under it.
    if (watch) setImmediate(watch.onReady);
  });
  const onClosed = lib.registerCallback({ return: 'void', arguments: ['pointer'] }, (handle) => {
    watches.delete(handle as bigint);
  });
  return { uv, handleSize, onPoll, onClosed };
}

/**
 * Calls `onReady` once, as soon as `fd` can be read or its other side is gone. The descriptor must stay open until
 * the answer is disposed of; disposing before `onReady` ran means that it never runs.
 */
export function watchReady(fd: number, onReady: () => void, options: { unref?: boolean } = {}): Disposable {
  assert(isMainThread, 'watchReady belongs to the main thread');
  library ??= openLoopLibrary();
  const { uv, handleSize, onPoll, onClosed } = library;
  const memory = new ArrayBuffer(handleSize);
  const handle = getRawPointer(memory);
  let open = true;
  checkLoop(uv.uv_poll_init(getCurrentEventLoop(), handle, fd), 'uv_poll_init');
  watches.set(handle, { memory, onReady: () => open && onReady() });
  checkLoop(uv.uv_poll_start(handle, UV_READABLE | UV_DISCONNECT, onPoll), 'uv_poll_start');
  if (options.unref) uv.uv_unref(handle);
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      uv.uv_close(handle, onClosed);
    },
  };
}

function checkLoop(result: number, call: string): void {
  if (result < 0) throw new SystemError(-result, call);
}
