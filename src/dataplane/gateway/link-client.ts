/**
 * The gateway's end of the link to control: connects, says hello, hands on what control sends, and when the link
 * breaks connects again, for ever. What is said while nobody listens is lost, except what `onConnected` says anew:
 * control must never be told of a second that is long past.
 */
import net from 'node:net';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { type ControlMessage, encodeLine, type GatewayMessage, LineReader } from '#protocol/link.ts';

const RECONNECT_BACKOFF = { baseMs: 5, maxMs: 500 };
/** Unsent bytes beyond which control counts as hung, and the link is cut. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

export interface LinkClientOptions {
  readonly socket: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hello: () => Extract<GatewayMessage, { type: 'hello' }>;
  readonly onConnected: () => void;
  /** False: it does not follow on what is here; the link is opened anew, and control sends the whole. */
  readonly onMessage: (message: ControlMessage) => boolean;
}

export class LinkClient {
  readonly #options: LinkClientOptions;
  #socket: net.Socket | undefined;
  #greeted = false;

  constructor(options: LinkClientOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#greeted;
  }

  /** False when nobody listens. */
  send(message: GatewayMessage): boolean {
    if (!this.#greeted || !this.#socket) return false;
    this.#socket.write(encodeLine(message));
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.#socket.destroy();
    return true;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const backoff = new Backoff(RECONNECT_BACKOFF);
    while (!signal.aborted) {
      const wasGreeted = await this.#session(signal);
      if (wasGreeted) backoff.forget('link');
      if (wasGreeted && !signal.aborted) {
        log.warn('the link to control broke; serving on');
      }
      if (!signal.aborted) await clock.sleep(backoff.next('link'), signal).catch(() => undefined);
    }
  }

  /** One connection, from beginning to end; true when it came about. */
  #session(signal: AbortSignal): Promise<boolean> {
    const { socket: path, log, hello, onConnected, onMessage } = this.#options;
    return new Promise((resolve) => {
      const reader = new LineReader<ControlMessage>();
      const socket = net.connect({ path });
      const abort = () => socket.destroy();
      signal.addEventListener('abort', abort, { once: true });
      socket.on('connect', () => {
        this.#socket = socket;
        socket.write(encodeLine(hello()));
        this.#greeted = true;
        onConnected();
      });
      socket.on('data', (chunk: Buffer) => {
        const messages = reader.feed(chunk);
        if (messages?.every(onMessage)) return;
        log.warn('control said what does not follow; asking for the whole table');
        socket.destroy();
      });
      socket.on('error', (error) => log.debug('link', { error }));
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        const wasGreeted = this.#greeted;
        this.#greeted = false;
        this.#socket = undefined;
        resolve(wasGreeted);
      });
    });
  }
}
