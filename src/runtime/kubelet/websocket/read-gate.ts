/**
 * Stops the reading of a WebSocket while somebody is behind. Meanwhile a pong goes out now and then: clients that
 * ping take it for the answer that they cannot get, and writing is the only way to notice that the client died.
 */
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '#base/clock.ts';

const PONG_PERIOD_MS = 5_000;

export class ReadGate implements Disposable {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #waitingFor = new Set<unknown>();
  #pongs: Timer | undefined;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** `reader` is full. */
  stopFor(reader: unknown): void {
    this.#waitingFor.add(reader);
    if (this.#pongs) return;
    this.#socket.pause();
    this.#pongs = this.#clock.every(PONG_PERIOD_MS, () => this.#socket.pong());
  }

  /** `reader` has room again, or wants nothing more. */
  goOnFor(reader: unknown): void {
    if (!this.#waitingFor.delete(reader) || this.#waitingFor.size > 0) return;
    this[Symbol.dispose]();
    this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#pongs?.cancel();
    this.#pongs = undefined;
  }
}
