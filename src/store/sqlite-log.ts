/**
 * The durable log on `node:sqlite`, in a worker thread so that no commit ever blocks the thread that serves the API.
 * The file is `DIR/state.db`; `sqlite3` can open it for a look.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '#base/worker-url.ts';
import { StoreUnavailable } from '#store/errors.ts';
import type { LogContent, LogRow, StoreLog } from '#store/log.ts';
import type { LogRequest, LogResponse } from '#store/sqlite-worker.ts';

/** Heap of the worker, in MB: it holds one batch at a time, and every row once at start. */
const WORKER_HEAP_MB = 512;

export class SqliteLog implements StoreLog {
  readonly #worker: Worker;
  #inFlight: PromiseWithResolvers<LogResponse> | undefined;
  #ended: Error | undefined;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = path.join(directory, 'state.db');
    const resourceLimits = { maxOldGenerationSizeMb: WORKER_HEAP_MB };
    this.#worker = new Worker(workerUrl('store/sqlite-worker'), { workerData: { file }, resourceLimits });
    this.#worker.on('message', (response: LogResponse) => this.#settle(response));
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#end(new Error(`the worker ended with code ${code}`)));
  }

  async load(): Promise<LogContent> {
    const response = await this.#ask({ type: 'load' });
    if (response.type !== 'content') throw unavailable(response);
    return { rows: response.rows, reserved: response.reserved };
  }

  async commit(rows: readonly LogRow[], reserved: number): Promise<void> {
    const response = await this.#ask({ type: 'commit', rows, reserved });
    if (response.type !== 'done') throw unavailable(response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.#ask({ type: 'close' });
    await this.#worker.terminate();
  }

  #ask(request: LogRequest): Promise<LogResponse> {
    if (this.#ended) return Promise.reject(new StoreUnavailable('the store has stopped', { cause: this.#ended }));
    const pending = Promise.withResolvers<LogResponse>();
    this.#inFlight = pending;
    this.#worker.postMessage(request);
    return pending.promise;
  }

  #settle(response: LogResponse): void {
    const pending = this.#inFlight;
    this.#inFlight = undefined;
    pending?.resolve(response);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#inFlight?.reject(new StoreUnavailable('the store has stopped', { cause: error }));
    this.#inFlight = undefined;
  }
}

function unavailable(response: LogResponse): StoreUnavailable {
  if (response.type !== 'failed') return new StoreUnavailable(`unexpected answer ${response.type}`);
  const { message, diskFull } = response;
  const text = diskFull
    ? 'the disk that holds the state directory is full'
    : `the disk did not take the write: ${message}`;
  return new StoreUnavailable(text, { diskFull });
}
