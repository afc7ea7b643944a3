/**
 * One connection's bytes, both ways, for whoever owns it at the moment (a client's requests, a server's answers, a
 * tunnel).
 *
 * Reading: all plain connections of a thread read into one shared buffer, so an idle connection costs no buffer; the
 * owner uses what it is shown at once, or copies it. Writing: what one event produces is gathered in a slab and goes
 * out in one write at `flush`. Beyond `HIGH_WATER_BYTES` unwritten, `congested` is true until `onDrain`.
 */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { COALESCE_BYTES, HIGH_WATER_BYTES, READ_BUFFER_BYTES } from '#dataplane/proxy/limits.ts';
import { Slab } from '#dataplane/proxy/slab.ts';

export interface WireOwner {
  /** `buf[start, end)` arrived; it is gone when the call returns. */
  onBytes(buf: Buffer, start: number, end: number): void;
  /** The other side will send no more. */
  onEnd(): void;
  onClose(error: Error | undefined): void;
  onDrain(): void;
}

/** Buffers for large pieces that are kept for the next ones. */
const MAX_SPARE_BUFFERS = 64;

/** What the connections of one thread share. */
export class Io {
  readonly slab = new Slab();
  readonly readBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #spare: Buffer[] = [];
  /** Hears of mistakes of ours; the connection on which one showed is closed, the others go on. */
  readonly onMistake: (error: unknown) => void;

  constructor(onMistake: (error: unknown) => void = rethrow) {
    this.onMistake = onMistake;
  }

  /** A buffer for as much as one read gives, until it is given back. */
  borrow(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(buffer);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

const NOBODY: WireOwner = { onBytes: () => {}, onEnd: () => {}, onClose: () => {}, onDrain: () => {} };

export class Wire {
  owner: WireOwner = NOBODY;
  readonly socket: Duplex;
  readonly #slab: Slab;
  readonly #io: Io;
  #queued: Buffer | undefined;
  #start = 0;
  #end = 0;
  #corked = false;
  #paused = false;
  #error: Error | undefined;
  closed = false;

  constructor(socket: Duplex, io: Io) {
    this.socket = socket;
    this.#slab = io.slab;
    this.#io = io;
    socket.on('end', () => this.#guard(() => this.owner.onEnd()));
    socket.on('drain', () => this.#guard(() => this.owner.onDrain()));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.owner.onClose(this.#error);
    });
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Bytes came from the socket. */
  receive(buf: Buffer, end: number): void {
    try {
      this.owner.onBytes(buf, 0, end);
    } catch (error) {
      this.#mistake(error);
    }
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#mistake(error);
    }
  }

  #mistake(error: unknown): void {
    this.destroy();
    this.#io.onMistake(error);
  }

  /** Too much is unwritten: the source should pause until `onDrain`. */
  get congested(): boolean {
    return this.socket.writableNeedDrain;
  }

  get unwritten(): number {
    return this.socket.writableLength;
  }

  /** Room for `size` octets behind what is queued; write them, then `commit`. */
  room(size: number): Slab {
    const slab = this.#slab;
    const at = slab.reserve(size);
    if (this.#queued && (this.#queued !== slab.buf || this.#end !== at)) this.#spill();
    if (!this.#queued) {
      this.#queued = slab.buf;
      this.#start = at;
    }
    return slab;
  }

  commit(): void {
    this.#end = this.#slab.pos;
  }

  /** Queues a copy of `buf[start, end)`. */
  send(buf: Buffer, start: number, end: number): void {
    if (end - start <= COALESCE_BYTES) {
      this.room(end - start).copy(buf, start, end);
      this.commit();
    } else {
      this.#spill();
      this.#cork();
      this.#writeCopy(buf, start, end);
    }
  }

  #writeCopy(buf: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size > READ_BUFFER_BYTES) return this.#write(Buffer.from(buf.subarray(start, end)));
    const copy = this.#io.borrow();
    buf.copy(copy, 0, start, end);
    this.#write(copy.subarray(0, size), () => this.#io.giveBack(copy));
    return undefined;
  }

  /** Queues bytes that nobody will change; those that were put into the slab last are not even copied. */
  sendStable(bytes: Buffer): void {
    const slab = this.#slab;
    const end = bytes.byteOffset + bytes.length;
    if (!this.#queued && bytes.buffer === slab.buf.buffer && end === slab.pos) {
      this.#queued = slab.buf;
      this.#start = bytes.byteOffset;
      this.#end = end;
      return undefined;
    }
    if (bytes.length <= COALESCE_BYTES) return this.send(bytes, 0, bytes.length);
    this.#spill();
    this.#cork();
    this.#write(bytes);
  }

  flush(): void {
    if (this.#queued) {
      const { buf, start, end } = { buf: this.#queued, start: this.#start, end: this.#end };
      this.#queued = undefined;
      if (end > start) this.#write(buf.subarray(start, end));
    }
    if (!this.#corked) return;
    this.#corked = false;
    this.socket.uncork();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.closed) return;
    this.#paused = false;
    this.socket.resume();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Sends what is queued and then the end of our side. */
  end(): void {
    this.flush();
    if (!this.closed) this.socket.end();
  }

  destroy(): void {
    this.#queued = undefined;
    this.socket.destroy();
  }

  #write(bytes: Buffer, written?: () => void): void {
    if (!this.closed && !this.socket.writableEnded) this.socket.write(bytes, written);
  }

  #spill(): void {
    if (!this.#queued) return;
    const bytes = this.#queued.subarray(this.#start, this.#end);
    this.#queued = undefined;
    if (bytes.length === 0) return;
    this.#cork();
    this.#write(bytes);
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.socket.cork();
  }
}

type OnRead = net.OnReadOpts;

const SOCKET = { allowHalfOpen: true, writableHighWaterMark: HIGH_WATER_BYTES };

/** Reads into the thread's buffer, without a stream's own buffering. */
function sharedRead(io: Io, target: () => Wire): OnRead {
  return {
    buffer: io.readBuffer,
    callback: (count, buf) => {
      target().receive(buf as Buffer, count);
      return true;
    },
  };
}

/**
 * Takes over a connection that `net.Server` accepted with `pauseOnConnect`. The server gives no way to choose how its
 * connections are read, so its socket's handle moves into a socket of our own (two streams' worth of work less per
 * request); where there is no handle to move, the socket is read as an ordinary stream.
 */
export function adoptAccepted(accepted: net.Socket, io: Io): Wire {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null) return wrapStream(accepted, io);
  let wire: Wire;
  const options = { ...SOCKET, handle, onread: sharedRead(io, () => wire) };
  const socket = new net.Socket(options as unknown as net.SocketConstructorOpts);
  Reflect.set(accepted, '_handle', null);
  accepted.destroy();
  wire = new Wire(socket, io);
  socket.resume();
  return wire;
}

/** Gives an adopted connection back as an ordinary socket, for whoever reads streams (HTTP/2). */
export function releaseSocket(wire: Wire, unread: Buffer): net.Socket {
  const handle: unknown = Reflect.get(wire.socket, '_handle');
  wire.socket.pause();
  wire.owner = NOBODY;
  const socket = new net.Socket({ ...SOCKET, handle } as unknown as net.SocketConstructorOpts);
  Reflect.set(wire.socket, '_handle', null);
  wire.socket.destroy();
  if (unread.length > 0) socket.unshift(unread);
  return socket;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Connects; `onConnect` says when. Failure is the owner's `onClose`. */
export function connectWire(address: Address, io: Io, onConnect: () => void): Wire {
  let wire: Wire;
  const socket = net.connect({
    ...SOCKET,
    ...address,
    noDelay: true,
    onread: sharedRead(io, () => wire),
  });
  wire = new Wire(socket, io);
  socket.once('connect', onConnect);
  return wire;
}

/** A connected socket that somebody else opened. */
export function adoptFd(fd: number, io: Io): Wire {
  let wire: Wire;
  const onread = sharedRead(io, () => wire);
  const socket = new net.Socket({ ...SOCKET, fd, readable: true, writable: true, onread });
  socket.setNoDelay(true);
  wire = new Wire(socket, io);
  socket.resume();
  return wire;
}

/** Any other stream, such as TLS. */
export function wrapStream(stream: Duplex, io: Io): Wire {
  const wire = new Wire(stream, io);
  stream.on('data', (chunk: Buffer) => wire.receive(chunk, chunk.length));
  return wire;
}
