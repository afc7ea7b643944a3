/**
 * The thread on which pods' networks are made and removed, one job after the other: entering a namespace changes the
 * thread, and the kernel may take tens of milliseconds while it tears others down. See `network-thread.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '#base/assert.ts';
import type { NetworkAnswer, NetworkJob } from '#runtime/network/network-thread.ts';
import {
  makePodNetwork,
  type PodNetworkSettings,
  reattachPodNetwork,
  removePodNetwork,
} from '#runtime/network/pod-network.ts';

const settings = workerData as PodNetworkSettings;
assert(parentPort, 'the network worker runs as a thread');
const port = parentPort;

port.on('message', (job: NetworkJob) => port.postMessage(answer(job)));

function answer({ id, operation, pod }: NetworkJob): NetworkAnswer {
  try {
    if (operation === 'make') makePodNetwork(settings, pod);
    else if (operation === 'remove') removePodNetwork(settings, pod);
    else return { id, isThere: reattachPodNetwork(settings, pod) };
    return { id, isThere: operation === 'make' };
  } catch (error) {
    return { id, isThere: false, failure: failureOf(error) };
  }
}

/** Errors lose their class and fields between threads. Node's own name call and path as ours do. */
function failureOf(error: unknown): NetworkAnswer['failure'] {
  if (!(error instanceof Error)) return { message: String(error) };
  const { errno, syscall, path } = error as NodeJS.ErrnoException;
  const message = error.stack ?? error.message;
  return errno === undefined ? { message } : { errno: -errno, syscall: syscall ?? '', path, message };
}
