/** A worker in a thread of its own: the two ends. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Clock } from '#base/clock.ts';
import type { MainMessage, WorkerBirth, WorkerMessage } from '#dataplane/gateway/messages.ts';
import { GatewayWorker, type WorkerOptions } from '#dataplane/gateway/worker.ts';
import type { WorkerEvents, WorkerThread } from '#dataplane/gateway/worker-pool.ts';

/** Heap of one worker; it streams, so what it holds is bounded by its connections. */
const MAX_HEAP_MB = 512;

/** Starts threads whose code is `entry`, which calls `runWorkerThread`. */
export function threadSpawner(entry: URL | string): (birth: WorkerBirth, events: WorkerEvents) => WorkerThread {
  return (birth, events) => {
    const worker = new Worker(entry, {
      workerData: birth,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      name: `gateway-${birth.seat}`,
    });
    let error: Error | undefined;
    worker.on('message', (message: WorkerMessage) => events.onMessage(message));
    worker.on('error', (cause) => {
      error = cause as Error;
    });
    worker.on('exit', () => events.onExit(error));
    return {
      post: (message) => worker.postMessage(message),
      terminate: async () => void (await worker.terminate()),
    };
  };
}

/** The thread's whole life. */
export async function runWorkerThread(
  options: { readonly clock: Clock } & Pick<WorkerOptions, 'connectInNetns'>,
): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('not in a thread');
  const send = (message: WorkerMessage) => port.postMessage(message);
  const worker = new GatewayWorker({ ...options, birth: workerData as WorkerBirth, send });
  port.on('message', (message: MainMessage) => worker.receive(message));
  await worker.start();
}
