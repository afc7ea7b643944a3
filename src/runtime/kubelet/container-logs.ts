/** The log of a container, whole or in part, then as it grows. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { KubeletBackend } from '#runtime/kubelet/backend.ts';
import { badQuery, noLogLeft, noLogYet, noPreviousLog, noSuchContainer, noSuchPod } from '#runtime/kubelet/errors.ts';
import type { ContainerTarget } from '#runtime/kubelet/request.ts';
import { type LogOptions, type LogSource, readLog } from '#runtime/logs/log-reader.ts';

/** Answers with the log; resolves when it is through or the client is gone. Throws a KubeletError before it begins. */
export async function serveContainerLogs(
  backend: KubeletBackend,
  target: ContainerTarget,
  response: ServerResponse,
): Promise<void> {
  const options = logOptionsOf(target.query, backend.clock.now());
  const source = findLog(backend, target);
  const isFollowed = isYes(target.query.get('follow'));
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  const wanted = isFollowed ? source : { file: source.file };
  for await (const piece of readLog(wanted, options, gone.signal)) {
    if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  response.end();
}

function findLog(backend: KubeletBackend, { namespace, pod, container, query }: ContainerTarget): LogSource {
  const found = backend.findPod(namespace, pod);
  if (!found) throw noSuchPod(pod);
  const known = found.findContainer(container);
  if (!known) throw noSuchContainer(container, pod);
  const { life, current, previous } = known;
  if (isYes(query.get('previous'))) {
    if (!previous) throw noPreviousLog(container, pod);
    return previous;
  }
  if (current) return current;
  throw life.type === 'waiting' ? noLogYet(container, pod, life.reason) : noLogLeft(container, pod);
}

const STREAMS = { All: undefined, Stdout: 'stdout', Stderr: 'stderr' } as const;

function logOptionsOf(query: URLSearchParams, now: number): LogOptions {
  const stream = query.get('stream') ?? 'All';
  if (!Object.hasOwn(STREAMS, stream)) throw badQuery(`invalid stream type ${JSON.stringify(stream)}`);
  const sinceSeconds = countOf(query, 'sinceSeconds');
  return {
    tailLines: countOf(query, 'tailLines'),
    limitBytes: countOf(query, 'limitBytes'),
    timestamps: isYes(query.get('timestamps')),
    sinceMs: sinceSeconds === undefined ? timeOf(query.get('sinceTime')) : now - sinceSeconds * 1_000,
    stream: STREAMS[stream as keyof typeof STREAMS],
  };
}

function countOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badQuery(`{"message": "Unable to decode query."}`);
  return Number(text);
}

function timeOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw badQuery(`{"message": "Unable to decode query."}`);
  return time;
}

function isYes(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}
