/**
 * Sockets that Node cannot make: listeners that this process never accepts on but hands to its children, and
 * facts about sockets that others made.
 *
 * Every descriptor given out is close-on-exec; a child inherits it through `stdio` of spawn and nowhere else.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { SystemError } from '#sys/errors.ts';
import { bind, check, closeDescriptor, errno } from '#sys/libc.ts';
import { decodeSocketAddress, encodeSocketAddress, familyOf, type SocketAddress } from '#sys/sockaddr.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_ERROR = 4;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SOL_IP = 0;
const IP_FREEBIND = 15;
const F_DUPFD_CLOEXEC = 1030;
const ADDRESS_BYTES = 128;
const LISTEN_BACKLOG = 4_096;

const libc = bind({
  socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  setsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'] },
  getsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'] },
  bind: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
  connect: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
  listen: { return: 'i32', arguments: ['i32', 'i32'] },
  getsockname: { return: 'i32', arguments: ['i32', 'buffer', 'buffer'] },
  fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
});

/** A TCP socket of the calling thread's network namespace, non-blocking. */
export function tcpSocket(address: string): number {
  return check(libc.socket(familyOf(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
}

export interface ListenOptions extends SocketAddress {
  /** Binds an address that no interface has yet. */
  readonly freeBind?: boolean;
  /** Listeners of this process on every address, which do not keep this one from its port; it gets what is sent to its
   *  address, and they the rest. */
  readonly beside?: readonly number[];
  /** How many connections wait to be accepted; the kernel cuts it to net.core.somaxconn. */
  readonly backlog?: number;
}

/** A socket that listens; connections wait in its backlog until somebody accepts. Port 0 takes any free one. */
export function listenTcp({ address, port, freeBind, beside = [], backlog = LISTEN_BACKLOG }: ListenOptions): number {
  const fd = tcpSocket(address);
  const where = `${address}:${port}`;
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR);
    if (freeBind) setOption(fd, SOL_IP, IP_FREEBIND);
    const sharing = beside.length === 0 ? [] : [...beside, fd];
    for (const one of sharing) setOption(one, SOL_SOCKET, SO_REUSEPORT);
    try {
      const bytes = encodeSocketAddress({ address, port });
      check(libc.bind(fd, bytes, bytes.length), 'bind', where);
      check(libc.listen(fd, backlog), 'listen', where);
    } finally {
      // Nobody else shall join.
      for (const one of sharing) setOption(one, SOL_SOCKET, SO_REUSEPORT, 0);
    }
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** Begins to connect; whether it worked shows `connectError` once the socket can be written. */
export function beginConnect(fd: number, to: SocketAddress): void {
  const bytes = encodeSocketAddress(to);
  if (libc.connect(fd, bytes, bytes.length) === 0 || errno() === constants.errno.EINPROGRESS) return;
  throw new SystemError(errno(), 'connect', `${to.address}:${to.port}`);
}

/** The errno of a connection attempt that has ended, 0 for success. */
export function connectError(fd: number): number {
  return intOption(fd, SO_ERROR);
}

export function isListening(fd: number): boolean {
  return intOption(fd, SO_ACCEPTCONN) === 1;
}

/** The address that a socket is bound to. */
export function boundAddress(fd: number): SocketAddress | undefined {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  const length = lengthOf(bytes);
  check(libc.getsockname(fd, bytes, length), 'getsockname');
  return decodeSocketAddress(bytes);
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Who connected the other end of a Unix socket, as the kernel saw it then. */
export function peerCredentials(fd: number): PeerCredentials {
  const bytes = Buffer.alloc(12);
  check(libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytes, lengthOf(bytes)), 'getsockopt');
  return { pid: bytes.readInt32LE(0), uid: bytes.readUInt32LE(4), gid: bytes.readUInt32LE(8) };
}

/** The descriptor below a stream of Node; undefined once it is closed. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

/** A second descriptor for what `fd` is, close-on-exec. */
export function duplicate(fd: number): number {
  return check(libc.fcntl(fd, F_DUPFD_CLOEXEC, 0), 'fcntl');
}

function setOption(fd: number, level: number, option: number, value = 1): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  check(libc.setsockopt(fd, level, option, bytes, bytes.length), 'setsockopt');
}

function intOption(fd: number, option: number): number {
  const value = Buffer.alloc(4);
  check(libc.getsockopt(fd, SOL_SOCKET, option, value, lengthOf(value)), 'getsockopt');
  return value.readInt32LE(0);
}

function lengthOf(buffer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(buffer.length);
  return length;
}
