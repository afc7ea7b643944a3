/** What a request of the endpoint is about: the kubelet's own paths. Pure. */
import { pageNotFound } from '#runtime/kubelet/errors.ts';

export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly query: URLSearchParams;
}

export interface ContainerTarget extends PodTarget {
  readonly container: string;
}

export type EndpointRequest =
  | { readonly type: 'health' }
  | ({ readonly type: 'logs' | 'exec' | 'attach' } & ContainerTarget)
  | ({ readonly type: 'port-forward' } & PodTarget);

const CONTAINER_PATHS = { containerLogs: 'logs', exec: 'exec', attach: 'attach' } as const;

/** Throws a KubeletError for a path that there is not. */
export function parseRequest(url: string): EndpointRequest {
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const [root = '', namespace, pod, container, ...rest] = segments(mark < 0 ? url : url.slice(0, mark));
  if (root === 'healthz' && namespace === undefined) return { type: 'health' };
  if (namespace === undefined || pod === undefined || rest.length > 0) throw pageNotFound();
  if (root === 'portForward' && container === undefined) return { type: 'port-forward', namespace, pod, query };
  if (container === undefined || !Object.hasOwn(CONTAINER_PATHS, root)) throw pageNotFound();
  const type = CONTAINER_PATHS[root as keyof typeof CONTAINER_PATHS];
  return { type, namespace, pod, container, query };
}

function segments(path: string): string[] {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw pageNotFound();
  }
}
