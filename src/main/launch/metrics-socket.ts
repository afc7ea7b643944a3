/**
 * How the gateway's figures get to the API's `/metrics`: the gateway shows them on a Unix socket, control reads them
 * there for each scrape. A gateway that is away or slow has no figures then; those of control are answered all the same.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';

/** How long a gateway may take; it only has to write down what it knows. */
const READ_TIMEOUT_MS = 1_000;

/** @param render the figures in Prometheus' text form. */
export async function serveMetrics(socketPath: string, render: () => string): Promise<AsyncDisposable> {
  const server = http.createServer((_, response) => response.end(render()));
  // Of one that was killed.
  rmSync(socketPath, { force: true });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the gateway shows; nothing when it does not answer. */
export async function readMetrics(socketPath: string): Promise<string> {
  try {
    const request = http.get({ socketPath, path: '/metrics', agent: false, timeout: READ_TIMEOUT_MS });
    request.once('timeout', () => request.destroy(new Error('the gateway does not answer')));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return await text(response);
  } catch {
    // Whether the gateway is there is readiness' to say.
    return '';
  }
}
