/**
 * Control's end of the link: gateways connect to a Unix socket, are sent the routing table or what they missed of it,
 * then every change, and say which version they serve.
 *
 * A gateway that reads slowly is sent nothing more until it has caught up, and then one message with all that it
 * missed: what is kept per gateway is a version number, so nothing here grows. A gateway may vanish and come back at any
 * byte; one that breaks the contract is cut off and may connect again.
 */
import { chmod, rename, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import {
  type Activate,
  type ColdStart,
  type Drained,
  encodeLine,
  type GatewayMessage,
  type Hello,
  LineReader,
  type Report,
} from '#protocol/link.ts';
import type { RoutingTable, RoutingUpdate } from '#protocol/routing.ts';

/** Gateways that are connected at once: one, and two while one takes over from another. */
const MAX_CONNECTIONS = 8;

/** A connection that says nothing for so long at its beginning is no gateway. */
const HELLO_TIMEOUT_MS = 10_000;

/** Only the platform's own user may speak to control as a gateway. */
const SOCKET_MODE = 0o600;

export interface LinkHandlers {
  readonly onReport: (report: Report) => void;
  readonly onActivate: (activate: Activate) => void;
  readonly onColdStart: (coldStart: ColdStart) => void;
  readonly onDrained?: (drained: Drained) => void;
  /** The version that all connected gateways serve may be another one now. */
  readonly onAcknowledged: () => void;
}

/** The table that is served. */
export interface LinkTable {
  readonly epoch: string;
  readonly version: number;
  table(): RoutingTable;
  updateSince(version: number): RoutingUpdate | undefined;
}

export interface LinkServerOptions extends LinkHandlers {
  readonly socketPath: string;
  readonly table: LinkTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class LinkServer implements AsyncDisposable {
  readonly #options: LinkServerOptions;
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#server = net.createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /**
   * Takes the place of whoever listened there before. The socket is made under a name of its own and then moved: so it
   * is never there without its mode, and a predecessor that ends later, and removes what it made, removes nothing of ours.
   */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    const ownPath = path.join(path.dirname(socketPath), `l.${process.pid.toString(36)}`);
    await rm(ownPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(ownPath, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    await chmod(ownPath, SOCKET_MODE);
    await rename(ownPath, socketPath);
  }

  /** Gateways that have said hello. */
  get gateways(): number {
    return this.#greeted().length;
  }

  /** The version that every connected gateway serves; 0 when there is none. */
  get acknowledged(): number {
    const versions = this.#greeted().map(({ acknowledged }) => acknowledged);
    return versions.length === 0 ? 0 : Math.min(...versions);
  }

  /** Tells every gateway of a new version. */
  push(): void {
    for (const connection of this.#connections) connection.catchUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #greeted(): Connection[] {
    return [...this.#connections].filter(({ isGreeted }) => isGreeted);
  }

  #accept(socket: net.Socket): void {
    const connection = new Connection(socket, this.#options);
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      connection.close();
      this.#options.onAcknowledged();
    });
  }
}

class Connection {
  readonly #socket: net.Socket;
  readonly #options: LinkServerOptions;
  readonly #reader = new LineReader<GatewayMessage>();
  readonly #impatience: Timer;
  /** What was sent last; undefined before hello. */
  #sent: number | undefined;
  #acknowledged = 0;
  #pid = 0;

  constructor(socket: net.Socket, options: LinkServerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#impatience = options.clock.after(HELLO_TIMEOUT_MS, () => this.#cut('no hello'));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.catchUp());
    socket.on('error', (error) => options.logger.debug('link to a gateway failed', { error }));
  }

  get isGreeted(): boolean {
    return this.#sent !== undefined;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  close(): void {
    this.#impatience.cancel();
    this.#socket.destroy();
  }

  /** Sends what is missing, unless the gateway has yet to read what it was sent: then once it has. */
  catchUp(): void {
    const { table } = this.#options;
    if (this.#sent === undefined || this.#sent === table.version || this.#socket.writableNeedDrain) return;
    const update = table.updateSince(this.#sent);
    this.#sent = table.version;
    this.#socket.write(encodeLine(update ? { type: 'update', update } : { type: 'table', table: table.table() }));
  }

  #receive(chunk: Buffer): void {
    const messages = this.#reader.feed(chunk);
    if (!messages?.every(isObject)) return this.#cut('a message that is none');
    for (const message of messages) {
      // What follows on a message that broke the contract no longer counts.
      if (this.#socket.destroyed) return;
      this.#handle(message);
    }
  }

  #handle(message: GatewayMessage): void {
    const { table, logger, onReport, onActivate, onColdStart, onDrained, onAcknowledged } = this.#options;
    if (message.type !== 'hello' && !this.isGreeted) return this.#cut('no hello first');
    switch (message.type) {
      case 'hello':
        return this.#greet(message);
      case 'ack':
        if (message.epoch !== table.epoch || message.version > table.version) return;
        this.#acknowledged = Math.max(this.#acknowledged, message.version);
        return onAcknowledged();
      case 'report':
        return onReport(message);
      case 'activate':
        return onActivate(message);
      case 'coldstart':
        return onColdStart(message);
      case 'drained':
        return onDrained?.(message);
      default:
        // A newer gateway may know more; what is not understood changes nothing.
        return logger.debug('unknown message from a gateway', { pid: this.#pid });
    }
  }

  #greet({ pid, epoch, version }: Hello): void {
    const { table, logger, onAcknowledged } = this.#options;
    this.#impatience.cancel();
    this.#pid = pid;
    const isKnown = epoch === table.epoch && version > 0 && table.updateSince(version) !== undefined;
    this.#acknowledged = isKnown ? version : 0;
    this.#sent = isKnown ? version : -1;
    logger.info('a gateway connected', { pid, version: isKnown ? version : 0, current: table.version });
    this.catchUp();
    onAcknowledged();
  }

  #cut(why: string): void {
    this.#options.logger.warn('cut the link to a gateway', { why, pid: this.#pid });
    this.close();
  }
}
