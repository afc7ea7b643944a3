/** The threads of one image service: some for downloads, others for unpacking, so that neither waits for the other. */
import type { Clock } from '#base/clock.ts';
import { MAX_CONCURRENT_DOWNLOADS, MAX_CONCURRENT_UNPACKS } from '#runtime/image/limits.ts';
import { ImageWorkers } from '#runtime/image/worker/image-workers.ts';

export interface StoreWorkers extends AsyncDisposable {
  readonly transfers: ImageWorkers;
  readonly unpackers: ImageWorkers;
}

export function createWorkers(clock: Clock): StoreWorkers {
  const transfers = new ImageWorkers({ clock, threads: 1, jobsPerThread: MAX_CONCURRENT_DOWNLOADS });
  const unpackers = new ImageWorkers({ clock, threads: MAX_CONCURRENT_UNPACKS, jobsPerThread: 1 });
  return {
    transfers,
    unpackers,
    [Symbol.asyncDispose]: async () => {
      await transfers[Symbol.asyncDispose]();
      await unpackers[Symbol.asyncDispose]();
    },
  };
}
