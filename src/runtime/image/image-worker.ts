/**
 * The thread that does what would keep another one waiting: downloads with their hashing, unpacking, loading of
 * archives, deletion of trees, writing back. It keeps nothing between jobs but connections and tokens of registries.
 *
 * Runs any number of jobs beside each other; who starts them decides how many that are (`worker/image-workers.ts`).
 */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '#base/clock.ts';
import { toPlain } from '#runtime/image/errors.ts';
import { type JobContext, runJob } from '#runtime/image/worker/run-job.ts';
import { RegistryClients } from '#runtime/image/worker/registry-clients.ts';
import type { FromWorker, ImageJob, ToWorker } from '#runtime/image/worker/jobs.ts';

const PROGRESS_INTERVAL_MS = 100;

const port = parentPort;
const clients = new RegistryClients(systemClock);
const running = new Map<number, AbortController>();

function answer(message: FromWorker): void {
  port?.postMessage(message);
}

async function run(id: number, job: ImageJob): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const context: JobContext = {
    clock: systemClock,
    clients,
    signal: controller.signal,
    onProgress: throttled(id),
  };
  try {
    const result = await runJob(job, context);
    answer({ type: 'done', id, result });
  } catch (error) {
    if (controller.signal.aborted) answer({ type: 'cancelled', id });
    else answer({ type: 'failed', id, error: toPlain(error) });
  } finally {
    running.delete(id);
  }
}

function throttled(id: number): (bytes: number) => void {
  let nextMs = 0;
  return (bytes) => {
    const nowMs = systemClock.monotonicMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + PROGRESS_INTERVAL_MS;
    answer({ type: 'progress', id, bytes });
  };
}

port?.on('message', (message: ToWorker) => {
  if (message.type === 'cancel') running.get(message.id)?.abort();
  else void run(message.id, message.job);
});
