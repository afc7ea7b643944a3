/** Where a request goes over HTTP: method, path with query, body and its content type. Pure. */
import { unreachable } from '#base/assert.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type {
  ApiRequest,
  DeleteOptions,
  ListOptions,
  PatchType,
  Target,
  WatchRequest,
  WriteOptions,
} from '#client/transport.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** What to answer in, where plain JSON is not it: such as the tables that `kubectl get` shows. */
  readonly accept?: string;
}

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const JSON_TYPE = 'application/json';

/** `/api/v1/namespaces/NS/pods/NAME/status` */
export function resourcePath({ kind, namespace, name, subresource }: Target): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name ? `/${encodeURIComponent(name)}` : '';
  return `${root}${scope}/${kind.plural}${object}${subresource ? `/${subresource}` : ''}`;
}

export function httpRequestOf(request: ApiRequest): HttpRequest {
  switch (request.verb) {
    case 'get':
      return { method: 'GET', path: resourcePath(request) };
    case 'list':
      return { method: 'GET', path: resourcePath(request) + query(listQuery(request.options)) };
    case 'create': {
      const collection = request.subresource ? request : { ...request, name: undefined };
      return {
        method: 'POST',
        path: resourcePath(collection) + query(writeQuery(request.options)),
        body: request.body,
        contentType: JSON_TYPE,
      };
    }
    case 'update':
      return {
        method: 'PUT',
        path: resourcePath(request) + query(writeQuery(request.options)),
        body: request.body,
        contentType: JSON_TYPE,
      };
    case 'patch': {
      const options = { ...writeQuery(request.options), force: request.options?.force };
      const contentType = PATCH_CONTENT_TYPES[request.patchType];
      return { method: 'PATCH', path: resourcePath(request) + query(options), body: request.body, contentType };
    }
    case 'delete':
      return {
        method: 'DELETE',
        path: resourcePath(request),
        body: deleteBody(request.options),
        contentType: JSON_TYPE,
      };
    case 'deletecollection': {
      const path = resourcePath(request) + query(listQuery(request.list));
      return { method: 'DELETE', path, body: deleteBody(request.options), contentType: JSON_TYPE };
    }
    default:
      return unreachable(request);
  }
}

export function watchPathOf(request: WatchRequest): string {
  return resourcePath(request) + query({ watch: true, ...request.options });
}

type QueryValue = string | number | boolean | undefined;

function query(parameters: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function listQuery(options: ListOptions = {}): Record<string, QueryValue> {
  return { ...options };
}

function writeQuery({ dryRun, fieldManager, fieldValidation }: WriteOptions = {}): Record<string, QueryValue> {
  return { dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation };
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteOptions = {}): unknown {
  const body = { gracePeriodSeconds, propagationPolicy, preconditions, dryRun: dryRun ? ['All'] : undefined };
  return { apiVersion: 'v1', kind: 'DeleteOptions', ...body };
}
