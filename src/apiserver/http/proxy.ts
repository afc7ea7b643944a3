/**
 * Logs, exec, attach and port-forward belong to the node agent, HTTP to `proxy` to a program in a pod. The API server
 * authorises the request, finds the pod, and hands the connection on.
 */
import type { IncomingMessage } from 'node:http';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { Kind, ObjectOf } from '#kube/kind.ts';
import { badRequest, notFound, serviceUnavailable } from '#kube/status.ts';
import type { Target } from '#apiserver/api.ts';
import { backendLocation } from '#apiserver/http/backend-location.ts';
import { type BackendRequest, passToBackend, upgradeToBackend } from '#apiserver/http/backend-proxy.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { ResourcePath } from '#apiserver/http/path.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { resolve } from '#apiserver/http/target.ts';
import type { Connection } from '#apiserver/http/upgraded.ts';
import { admitConnection } from '#apiserver/http/connect-admission.ts';
import type { Subresource } from '#apiserver/resources.ts';
import { storedEntry } from '#apiserver/verbs/get.ts';

export interface ProxiedRequest {
  readonly pod: Pod;
  /** `log`, `exec`, `attach` or `portforward`. */
  readonly subresource: string;
  /** The query as it came, without the question mark. */
  readonly query: string;
  readonly request: IncomingMessage;
}

/**
 * The way to the node agent's kubelet-style endpoint: `kubelet-proxy.ts`. Throws a StatusError when the options are
 * wrong, the pod is on no node or has no such container, or the endpoint cannot be reached.
 */
export interface KubeletProxy {
  /** An ordinary answer: logs. Resolves when it is through. */
  request(proxied: ProxiedRequest, exchange: Exchange): Promise<void>;
  /** A connection that becomes a stream: exec, attach, port-forward. */
  upgrade(proxied: ProxiedRequest, connection: Connection): Promise<void>;
}

export interface Proxied {
  readonly target: Target;
  readonly subresource: Subresource;
}

export async function proxyRequest(http: HttpApi, exchange: Exchange, { target, subresource }: Proxied): Promise<void> {
  if (subresource.name === 'proxy') {
    const backend = backendOf(http, exchange, target);
    await admitConnection(http, exchange, { target, subresource });
    return passToBackend(backend);
  }
  const { kubelet, proxied } = prepare(http, exchange, target);
  if (target.subresource !== 'log') throw badRequest('Upgrade request required');
  await kubelet.request(proxied, exchange);
}

export interface ProxyUpgrade extends Connection {
  readonly exchange: Exchange;
  readonly path: ResourcePath;
}

export async function proxyUpgrade(http: HttpApi, { exchange, path, ...connection }: ProxyUpgrade): Promise<void> {
  const { target, subresource } = resolve(http.api.registry, exchange, path);
  if (!subresource?.isProxied) throw badRequest('this resource takes no upgrade');
  if (subresource.name === 'proxy') {
    const backend = backendOf(http, exchange, target);
    await admitConnection(http, exchange, { target, subresource });
    return upgradeToBackend(backend, connection);
  }
  const { kubelet, proxied } = prepare(http, exchange, target);
  await admitConnection(http, exchange, { target, subresource });
  await kubelet.upgrade(proxied, connection);
}

function prepare(http: HttpApi, { request, path }: Exchange, target: Target) {
  const pod = storedEntry(http.api, target).object as ObjectOf<typeof Pod>;
  if (!http.kubelet) throw serviceUnavailable('the node agent is not running');
  const query = (request.url ?? '').slice(path.length + 1);
  return { kubelet: http.kubelet, proxied: { pod, subresource: target.subresource ?? '', query, request } };
}

function backendOf({ api }: HttpApi, exchange: Exchange, { served, namespace, name }: Target): BackendRequest {
  const find = <K extends Kind>(kind: K, wanted: string) => {
    const entry = api.store.get(api.registry.of(kind).resource, { namespace, name: wanted });
    return entry?.object as ObjectOf<K> | undefined;
  };
  const get = <K extends Kind>(kind: K, wanted: string) => {
    const found = find(kind, wanted);
    if (!found) throw notFound(kind, wanted);
    return found;
  };
  const location = backendLocation(served.kind.plural, name, {
    pod: (wanted) => get(Pod, wanted),
    service: (wanted) => get(Service, wanted),
    findPod: (wanted) => find(Pod, wanted),
    findEndpoints: (wanted) => find(Endpoints, wanted),
    random: () => api.clock.random(),
  });
  return { location, exchange, clock: api.clock };
}
