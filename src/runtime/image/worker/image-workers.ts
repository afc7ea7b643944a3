/**
 * A few image worker threads and the queue in front of them. A thread is started when there is work for it and ends
 * when it has had none for a while; one that dies takes its jobs with it, never the process, and is replaced.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '#base/clock.ts';
import { workerUrl } from '#base/worker-url.ts';
import { fromPlain, ImageError } from '#runtime/image/errors.ts';
import { MAX_WAITING_JOBS, WORKER_IDLE_MS } from '#runtime/image/limits.ts';
import type { FromWorker, ImageJob, JobResult, JobResults, ToWorker } from '#runtime/image/worker/jobs.ts';

export interface ImageWorkersOptions {
  readonly clock: Clock;
  readonly threads: number;
  readonly jobsPerThread: number;
}

export interface JobWatch {
  readonly signal: AbortSignal;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

interface Entry {
  readonly id: number;
  readonly job: ImageJob;
  readonly watch: JobWatch;
  readonly settle: PromiseWithResolvers<JobResult>;
}

/** Enough for the largest manifests and for millions of names; a thread that wants more is broken. */
const MAX_HEAP_MB = 512;
/** How long a cancelled job may take to clear up when its thread is to end. */
const CANCEL_TIMEOUT_MS = 2_000;

export class ImageWorkers implements AsyncDisposable {
  readonly #options: ImageWorkersOptions;
  readonly #threads = new Set<Thread>();
  #waiting: Entry[] = [];
  #lastId = 0;
  #isClosed = false;

  constructor(options: ImageWorkersOptions) {
    this.#options = options;
  }

  /** Rejects with the signal's reason on abort, once the thread has let go of the job. */
  async run<J extends ImageJob>(job: J, watch: JobWatch): Promise<JobResults[J['kind']]> {
    watch.signal.throwIfAborted();
    if (this.#isClosed) throw new ImageError('Internal', 'the image workers are closed');
    if (this.#waiting.length >= MAX_WAITING_JOBS) throw new ImageError('Busy', 'too many image operations wait');
    this.#lastId += 1;
    const entry: Entry = { id: this.#lastId, job, watch, settle: Promise.withResolvers() };
    const onAbort = () => this.#cancel(entry);
    watch.signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(entry);
    this.#dispatch();
    try {
      return (await entry.settle.promise) as JobResults[J['kind']];
    } finally {
      watch.signal.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const gone = new ImageError('Internal', 'the image workers are closed');
    for (const { settle } of this.#waiting) settle.reject(gone);
    this.#waiting = [];
    await Promise.all([...this.#threads].map((thread) => thread.finish(gone)));
  }

  #cancel(entry: Entry): void {
    const at = this.#waiting.indexOf(entry);
    if (at < 0) {
      for (const thread of this.#threads) thread.cancel(entry.id);
      return;
    }
    this.#waiting.splice(at, 1);
    entry.settle.reject(entry.watch.signal.reason);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#freeThread();
      const entry = thread && this.#waiting.shift();
      if (!entry) return;
      thread.start(entry);
    }
  }

  #freeThread(): Thread | undefined {
    const { threads, jobsPerThread, clock } = this.#options;
    const free = [...this.#threads].filter((thread) => thread.load < jobsPerThread);
    const idlest = free.sort((left, right) => left.load - right.load)[0];
    if (idlest && (idlest.load === 0 || this.#threads.size >= threads)) return idlest;
    if (this.#threads.size >= threads) return undefined;
    const thread = new Thread(clock, {
      onFree: () => this.#dispatch(),
      onEnd: () => {
        this.#threads.delete(thread);
        if (!this.#isClosed) this.#dispatch();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

interface ThreadEvents {
  onFree(): void;
  onEnd(): void;
}

class Thread {
  readonly #clock: Clock;
  readonly #events: ThreadEvents;
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Entry>();
  #idle: Timer | undefined;
  #hasEnded = false;

  constructor(clock: Clock, events: ThreadEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#worker = new Worker(workerUrl('runtime/image/image-worker'), {
      name: 'image-worker',
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      // Descriptors are opened by system calls of ours and closed by Node: its own account would not add up.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) =>
      this.#lose(new ImageError('Internal', `image worker failed: ${String(error)}`, { cause: error })),
    );
    this.#worker.on('exit', (code) => this.#lose(new ImageError('Internal', `image worker ended with code ${code}`)));
    this.#worker.unref();
  }

  get load(): number {
    return this.#jobs.size;
  }

  start(entry: Entry): void {
    this.#idle?.cancel();
    this.#worker.ref();
    this.#jobs.set(entry.id, entry);
    this.#post({ type: 'start', id: entry.id, job: entry.job });
  }

  cancel(id: number): void {
    if (this.#jobs.has(id)) this.#post({ type: 'cancel', id });
  }

  /** Cancels what runs, so that it clears up after itself, and ends; without waiting for long. */
  async finish(reason: ImageError): Promise<void> {
    const settled = Promise.allSettled([...this.#jobs.values()].map(({ settle }) => settle.promise));
    for (const id of this.#jobs.keys()) this.cancel(id);
    const patience = Promise.withResolvers<void>();
    using _timer = this.#clock.after(CANCEL_TIMEOUT_MS, patience.resolve);
    await Promise.race([settled, patience.promise]);
    await this.end(reason);
  }

  async end(reason: ImageError): Promise<void> {
    this.#lose(reason);
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    const entry = this.#jobs.get(message.id);
    if (!entry) return;
    if (message.type === 'progress') {
      entry.watch.onProgress?.(message.bytes);
      return;
    }
    this.#jobs.delete(message.id);
    if (message.type === 'done') entry.settle.resolve(message.result);
    else if (message.type === 'failed') entry.settle.reject(fromPlain(message.error));
    else entry.settle.reject(cancelReason(entry.watch.signal));
    if (this.#jobs.size === 0) this.#rest();
    this.#events.onFree();
  }

  #rest(): void {
    this.#worker.unref();
    this.#idle = this.#clock.after(WORKER_IDLE_MS, () => void this.end(new ImageError('Internal', 'idle')), {
      unref: true,
    });
  }

  #lose(reason: ImageError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#idle?.cancel();
    for (const { settle } of this.#jobs.values()) settle.reject(reason);
    this.#jobs.clear();
    this.#events.onEnd();
  }
}

function cancelReason(signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : new ImageError('Internal', 'the image workers are closed');
}
