/**
 * A descriptor that another process hands over through a Unix socket: the one way in which OCI runtimes give away a
 * container's terminal. Who hands over connects to the socket's path, sends, and goes on; so once it says that it is
 * through, the descriptor lies ready and nothing here waits.
 */
import { getRawPointer } from 'node:ffi';
import { bind, check, checkUninterrupted, closeDescriptor, O_CLOEXEC } from '#sys/libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** Bytes of `sockaddr_un`'s path, with the NUL at its end. */
const MAX_PATH_BYTES = 108;
/** Bytes that may come along; runtimes send the terminal's name. */
const MAX_TEXT_BYTES = 4_096;
/** struct msghdr, struct iovec, and a struct cmsghdr with one descriptor. */
const MESSAGE_BYTES = 56;
const VECTOR_BYTES = 16;
const CONTROL_HEAD_BYTES = 16;
const CONTROL_BYTES = 24;

const libc = bind({
  socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  bind: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
  listen: { return: 'i32', arguments: ['i32', 'i32'] },
  accept4: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'i32'] },
  recvmsg: { return: 'i32', arguments: ['i32', 'buffer', 'i32'] },
});

export interface HandOver extends Disposable {
  /** What was handed over, close-on-exec; the caller closes it. Throws when nothing was. */
  take(): number;
}

/** Listens at `path`, which must not exist and has at most 107 bytes. Disposing leaves the file to the caller. */
export function awaitHandOver(path: string): HandOver {
  const name = Buffer.from(path);
  if (name.length >= MAX_PATH_BYTES) throw new RangeError(`too long for a socket: ${path}`);
  const listener = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | O_CLOEXEC, 0), 'socket');
  const address = Buffer.alloc(2 + MAX_PATH_BYTES);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  try {
    check(libc.bind(listener, address, address.length), 'bind', path);
    check(libc.listen(listener, 1), 'listen', path);
  } catch (error) {
    closeDescriptor(listener);
    throw error;
  }
  return { take: () => takeFrom(listener), [Symbol.dispose]: () => closeDescriptor(listener) };
}

function takeFrom(listener: number): number {
  const connection = checkUninterrupted(() => libc.accept4(listener, 0n, 0n, O_CLOEXEC), 'accept4');
  try {
    return receive(connection);
  } finally {
    closeDescriptor(connection);
  }
}

function receive(connection: number): number {
  const text = Buffer.alloc(MAX_TEXT_BYTES);
  const control = Buffer.alloc(CONTROL_BYTES);
  const vector = Buffer.alloc(VECTOR_BYTES);
  vector.writeBigUInt64LE(getRawPointer(text), 0);
  vector.writeBigUInt64LE(BigInt(text.length), 8);
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeBigUInt64LE(getRawPointer(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(getRawPointer(control), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  checkUninterrupted(() => libc.recvmsg(connection, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 'recvmsg');
  // Named once more after the call, so that what is only pointed at cannot have been collected during it.
  const isRights =
    text.length + vector.length > 0 &&
    message.readBigUInt64LE(40) >= BigInt(CONTROL_HEAD_BYTES + 4) &&
    control.readInt32LE(8) === SOL_SOCKET &&
    control.readInt32LE(12) === SCM_RIGHTS;
  if (!isRights) throw new Error('no descriptor came over the socket');
  return control.readInt32LE(CONTROL_HEAD_BYTES);
}
