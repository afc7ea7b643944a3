/**
 * The main thread's side of `network-worker.ts`: hands it jobs and answers with promises.
 *
 * A thread costs eight megabytes, and an idle platform makes no pods: it starts with the first job and ends when it
 * has had none for a while. Starting it again (20 ms) only ever delays what fills the pool.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '#base/clock.ts';
import { workerUrl } from '#base/worker-url.ts';
import type { PodNetwork, PodNetworkSettings } from '#runtime/network/pod-network.ts';
import { SystemError } from '#sys/errors.ts';

export interface NetworkJob {
  readonly id: number;
  readonly operation: 'make' | 'remove' | 'reattach';
  readonly pod: PodNetwork;
}

export interface NetworkAnswer {
  readonly id: number;
  /** Whether the pod's network exists now. */
  readonly isThere: boolean;
  readonly failure?:
    | {
        readonly errno?: number;
        readonly syscall?: string;
        readonly path?: string | undefined;
        readonly message: string;
      }
    | undefined;
}

/** After this long without a job the thread ends. */
const IDLE_MS = 10_000;
const HEAP_LIMIT_MB = 32;

export class NetworkThread implements AsyncDisposable {
  readonly #settings: PodNetworkSettings;
  readonly #clock: Clock;
  readonly #jobs = new Map<number, PromiseWithResolvers<boolean>>();
  #worker: Worker | undefined;
  #idle: Timer | undefined;
  #lastId = 0;

  constructor(settings: PodNetworkSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Does one job; rejects with the `SystemError` that the kernel gave. */
  run(operation: NetworkJob['operation'], pod: PodNetwork): Promise<boolean> {
    this.#idle?.cancel();
    this.#worker ??= this.#start();
    this.#lastId += 1;
    const job: NetworkJob = { id: this.#lastId, operation, pod };
    const result = Promise.withResolvers<boolean>();
    this.#jobs.set(job.id, result);
    this.#worker.postMessage(job);
    return result.promise;
  }

  /** Finishes what it was given: a thread cut short leaves half a network. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#jobs.values()].map(({ promise }) => promise));
    this.#idle?.cancel();
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_LIMIT_MB, maxYoungGenerationSizeMb: 4 };
    const worker = new Worker(workerUrl('runtime/network/network-worker'), {
      workerData: this.#settings,
      resourceLimits,
      name: 'pinnace-network',
      // Descriptors come and go by ffi there, which Node's own count knows nothing of.
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on('message', (answer: NetworkAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('the network thread ended')));
    return worker;
  }

  #settle({ id, isThere, failure }: NetworkAnswer): void {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    if (failure) job?.reject(errorOf(failure));
    else job?.resolve(isThere);
    if (this.#jobs.size === 0) this.#idle = this.#clock.after(IDLE_MS, () => void this.#retire(), { unref: true });
  }

  async #retire(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #lose(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const job of this.#jobs.values()) job.reject(error);
    this.#jobs.clear();
  }
}

function errorOf({ errno, syscall, path, message }: NonNullable<NetworkAnswer['failure']>): Error {
  return errno === undefined ? new Error(message) : new SystemError(errno, syscall ?? '', path);
}
