/**
 * The connections of one thread to one server: free ones are kept, the one used last first, so that the rest can
 * grow old and close. A free connection is read all the time, so that a server's close is seen when it arrives.
 */
import type { Clock } from '#base/clock.ts';
import { Deadline, type Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { UpstreamFailure, UpstreamSource, UpstreamUser } from '#dataplane/proxy/exchange.ts';
import { CONNECT_TIMEOUT_MS, IDLE_UPSTREAM_TIMEOUT_MS, MAX_IDLE_PER_ENDPOINT } from '#dataplane/proxy/limits.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import { type ConnectionHome, UpstreamConnection } from '#dataplane/proxy/upstream-connection.ts';
import { adoptFd, type Address, connectWire, type Io, type Wire } from '#dataplane/proxy/wire.ts';

/** What the pools of one thread share. */
export interface PoolContext {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly io: Io;
  readonly head: ResponseHead;
  /** Connects to a loopback port inside a network namespace; the descriptor is the caller's. */
  readonly connectInNetns: (netns: string, port: number) => Promise<number>;
}

export interface PoolAddress extends Address {
  /** Connect to the loopback inside this network namespace instead. */
  readonly loopbackNetns?: string | undefined;
}

export class UpstreamPool implements UpstreamSource, ConnectionHome {
  readonly head: ResponseHead;
  readonly #address: PoolAddress;
  readonly #context: PoolContext;
  readonly #free: UpstreamConnection[] = [];
  readonly #expiries = new Map<UpstreamConnection, Deadline>();
  #retired = false;

  constructor(address: PoolAddress, context: PoolContext) {
    this.#address = address;
    this.#context = context;
    this.head = context.head;
  }

  get free(): number {
    return this.#free.length;
  }

  take(): UpstreamConnection | undefined {
    const connection = this.#free.pop();
    if (!connection) return undefined;
    const expiry = this.#expiries.get(connection);
    if (expiry) this.#context.deadlines.cancel(expiry);
    return connection;
  }

  connect(user: UpstreamUser): Disposable {
    const attempt = new Attempt(user, this, this.#context);
    const { loopbackNetns, port } = this.#address;
    if (loopbackNetns === undefined) attempt.connect(this.#address);
    else attempt.adopt(this.#context.connectInNetns(loopbackNetns, port));
    return attempt;
  }

  retire(): void {
    this.#retired = true;
    for (const connection of this.#free) connection.destroy();
  }

  onFree(connection: UpstreamConnection): void {
    if (this.#retired || this.#free.length >= MAX_IDLE_PER_ENDPOINT) return connection.destroy();
    this.#free.push(connection);
    let expiry = this.#expiries.get(connection);
    if (!expiry) this.#expiries.set(connection, (expiry = new Deadline(() => connection.destroy())));
    this.#context.deadlines.set(expiry, IDLE_UPSTREAM_TIMEOUT_MS, this.#context.clock.monotonicMs());
    return undefined;
  }

  onGone(connection: UpstreamConnection): void {
    const expiry = this.#expiries.get(connection);
    if (expiry) this.#context.deadlines.cancel(expiry);
    this.#expiries.delete(connection);
    const index = this.#free.lastIndexOf(connection);
    if (index >= 0) this.#free.splice(index, 1);
  }
}

/** One connection being opened. */
class Attempt implements Disposable {
  #user: UpstreamUser | undefined;
  readonly #pool: UpstreamPool;
  readonly #context: PoolContext;
  readonly #deadline: Deadline;
  #wire: Wire | undefined;

  constructor(user: UpstreamUser, pool: UpstreamPool, context: PoolContext) {
    this.#user = user;
    this.#pool = pool;
    this.#context = context;
    this.#deadline = new Deadline(() => this.#timeOut());
    context.deadlines.set(this.#deadline, CONNECT_TIMEOUT_MS, context.clock.monotonicMs());
  }

  connect(address: Address): void {
    const { host, port } = address;
    const wire = connectWire({ host, port }, this.#context.io, () => this.#connected(wire));
    this.#wire = wire;
    wire.owner = {
      onBytes: () => wire.destroy(),
      onEnd: () => wire.destroy(),
      onClose: (error) => this.#failed({ kind: 'refused', detail: '', error }),
      onDrain: () => {},
    };
  }

  adopt(descriptor: Promise<number>): void {
    descriptor.then(
      (fd) => this.#connected(adoptFd(fd, this.#context.io)),
      (error: unknown) => this.#failed({ kind: 'refused', detail: '', error: error as Error }),
    );
  }

  #connected(wire: Wire): void {
    this.#context.deadlines.cancel(this.#deadline);
    const user = this.#user;
    this.#user = undefined;
    const connection = new UpstreamConnection(wire, this.#pool);
    // Nobody wants it any more: the next request will.
    if (user) user.onConnected(connection);
    else this.#pool.onFree(connection);
  }

  #failed(failure: UpstreamFailure): void {
    this.#context.deadlines.cancel(this.#deadline);
    const user = this.#user;
    this.#user = undefined;
    user?.onConnectFailed(failure);
  }

  #timeOut(): void {
    this.#wire?.destroy();
    this.#failed({ kind: 'refused', detail: 'i/o timeout' });
  }

  [Symbol.dispose](): void {
    this.#user = undefined;
  }
}
