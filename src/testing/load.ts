/** Steady load from this process, for tests: so many requests at a time, each counted by how it ended. */
import http from 'node:http';

export interface LoadOptions {
  readonly url: string;
  /** The gateway's own address, such as `http://127.0.0.1:8080`. */
  readonly gateway: string;
  readonly concurrency: number;
}

export interface LoadResult {
  readonly requests: number;
  /** `200`, `503`, `ECONNRESET`, … → how many. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface Load {
  readonly answered: number;
  /** Ends once the requests under way have ended. */
  stop(): Promise<LoadResult>;
}

export function startLoad({ url, gateway, concurrency }: LoadOptions): Load {
  const { hostname, port } = new URL(gateway);
  const { host, pathname, search } = new URL(url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  const options = { hostname, port, path: pathname + search, headers: { host }, agent };
  const outcomes: Record<string, number> = {};
  const stopping = new AbortController();
  let answered = 0;
  const worker = async () => {
    while (!stopping.signal.aborted) {
      const outcome = await send(options);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      answered += 1;
    }
  };
  const workers = Promise.all(Array.from({ length: concurrency }, worker));
  return {
    get answered() {
      return answered;
    },
    async stop() {
      stopping.abort();
      await workers;
      agent.destroy();
      return { requests: answered, outcomes };
    },
  };
}

function send(options: http.RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get(options, (response) => {
      response.resume();
      response.once('end', () => resolve(String(response.statusCode)));
      response.once('error', (error) => resolve(codeOf(error)));
    });
    request.once('error', (error) => resolve(codeOf(error)));
  });
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
