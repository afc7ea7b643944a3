/**
 * The node agent's worker thread, as control sees it: started again when it dies, with the API at its other end and
 * digest resolution asked of it.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { backoffDelayMs } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { workerUrl } from '#base/worker-url.ts';
import { servePort } from '#client/port-transport.ts';
import type { Transport } from '#client/transport.ts';
import type { Kind } from '#kube/kind.ts';
import type { AgentRequest, AgentStart, AgentAnswer } from '#main/control/agent-protocol.ts';
import type { DigestResolver, ImageCredentials } from '#serving/environment.ts';

const HEAP_MB = 512;
const RESTART = { baseMs: 50, maxMs: 10_000 };

export interface AgentThreadOptions {
  readonly start: Omit<AgentStart, 'port'>;
  readonly transport: Transport;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export class AgentThread implements DigestResolver, AsyncDisposable {
  readonly #options: AgentThreadOptions;
  readonly #pending = new Map<number, PromiseWithResolvers<string>>();
  readonly #ready = Promise.withResolvers<void>();
  #worker: Worker | undefined;
  #isReady = false;
  #failures = 0;
  #lastId = 0;
  #closed = false;

  constructor(options: AgentThreadOptions) {
    this.#options = options;
    this.#launch();
  }

  /** Resolves once the agent has taken over what runs. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  resolve(image: string, credentials: ImageCredentials, signal: AbortSignal): Promise<string> {
    this.#lastId += 1;
    const id = this.#lastId;
    const pending = Promise.withResolvers<string>();
    this.#pending.set(id, pending);
    const cancel = () => {
      this.#send({ type: 'cancel', id });
      pending.reject(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#send({ type: 'resolve', id, image, credentials });
    return pending.promise.finally(() => {
      signal.removeEventListener('abort', cancel);
      this.#pending.delete(id);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#send({ type: 'stop' });
    const worker = this.#worker;
    if (worker) await new Promise<void>((done) => worker.once('exit', () => done()));
  }

  #launch(): void {
    const { start, transport, kinds } = this.#options;
    const channel = new MessageChannel();
    servePort(channel.port1, transport, kinds);
    const worker = new Worker(workerUrl('main/node-agent-worker'), {
      name: 'pinnace-node-agent',
      workerData: { ...start, port: channel.port2 } satisfies AgentStart,
      transferList: [channel.port2],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      // Descriptors come and go by ffi there, which Node's own count knows nothing of.
      trackUnmanagedFds: false,
    });
    worker.on('message', (answer: AgentAnswer) => this.#receive(answer));
    worker.on('error', (error) => this.#options.logger.error('the node agent died', { error }));
    worker.on('exit', () => this.#gone());
    this.#worker = worker;
  }

  #send(request: AgentRequest): void {
    this.#worker?.postMessage(request);
  }

  #receive(answer: AgentAnswer): void {
    if (answer.type === 'ready') {
      this.#isReady = true;
      this.#failures = 0;
      this.#ready.resolve();
    } else if (answer.type === 'resolved') this.#pending.get(answer.id)?.resolve(answer.digest);
    else if (answer.type === 'unresolved') this.#pending.get(answer.id)?.reject(new Error(answer.message));
  }

  #gone(): void {
    this.#worker = undefined;
    this.#isReady = false;
    for (const pending of this.#pending.values()) pending.reject(new Error('the node agent has stopped'));
    if (this.#closed) return;
    const delayMs = backoffDelayMs(RESTART, this.#failures);
    this.#failures += 1;
    this.#options.clock.after(delayMs, () => {
      if (!this.#closed) this.#launch();
    });
  }
}
