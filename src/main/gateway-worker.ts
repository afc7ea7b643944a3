/** One of the gateway's worker threads. */
import { systemClock as clock } from '#base/clock.ts';
import { runWorkerThread } from '#dataplane/gateway/worker-thread.ts';
import { CONNECT_TIMEOUT_MS } from '#dataplane/proxy/limits.ts';
import { connectInNamespace } from '#sys/namespace.ts';

const never = new AbortController().signal;

await runWorkerThread({
  clock,
  connectInNetns: (namespace, port) =>
    connectInNamespace({ namespace, address: '127.0.0.1', port, timeoutMs: CONNECT_TIMEOUT_MS, clock }, never),
});
