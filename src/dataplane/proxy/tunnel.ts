/**
 * What follows a 101: bytes both ways, whatever they are, with backpressure, and each side's end passed on as an
 * end. It lives for as long as either side speaks or the revision's idle timeout allows.
 */
import type { Switched } from '#dataplane/proxy/exchange.ts';
import type { Wire, WireOwner } from '#dataplane/proxy/wire.ts';

export interface TunnelEvents {
  /** Bytes went through, towards the client or from it. */
  onTraffic(bytes: number): void;
  /** Both sides are gone. Called once. */
  onDone(): void;
}

export class Tunnel {
  readonly #client: Wire;
  readonly #server: Wire;
  readonly #events: TunnelEvents;
  #open = 2;

  constructor(client: Switched, server: Switched, events: TunnelEvents) {
    this.#client = client.wire;
    this.#server = server.wire;
    this.#events = events;
    this.#client.owner = this.#side(this.#client, this.#server);
    this.#server.owner = this.#side(this.#server, this.#client);
    this.#forward(this.#server, this.#client, client.unread);
    this.#forward(this.#client, this.#server, server.unread);
    this.#client.resume();
    this.#server.resume();
    if (this.#client.closed || this.#server.closed) this.destroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #forward(to: Wire, from: Wire, bytes: Buffer): void {
    if (bytes.length > 0) this.#send(from, to, { buf: bytes, start: 0, end: bytes.length });
  }

  #send(from: Wire, to: Wire, piece: { buf: Buffer; start: number; end: number }): void {
    to.send(piece.buf, piece.start, piece.end);
    to.flush();
    this.#events.onTraffic(piece.end - piece.start);
    if (to.congested) from.pause();
  }

  #side(from: Wire, to: Wire): WireOwner {
    return {
      onBytes: (buf, start, end) => this.#send(from, to, { buf, start, end }),
      onEnd: () => to.end(),
      onDrain: () => to.resume(),
      onClose: (error) => this.#closed(to, error),
    };
  }

  #closed(other: Wire, error: Error | undefined): void {
    this.#open -= 1;
    if (this.#open === 0) return this.#events.onDone();
    // An orderly end was passed on already, and the other side may still speak to nobody: let it finish its writes.
    if (error) other.destroy();
    else other.end();
    return undefined;
  }
}
