/**
 * Connections to pods and Services pass webhooks like writes do: as CONNECT, of the options that stand in the query.
 * Nothing is stored, so nothing can be changed.
 */
import type { KubeObject } from '#kube/object.ts';
import { admissionRequest, type Target } from '#apiserver/api.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { Query } from '#apiserver/http/query.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import type { KindName, Subresource } from '#apiserver/resources.ts';

const FLAGS = ['stdin', 'stdout', 'stderr', 'tty'];

export async function admitConnection(
  { api }: HttpApi,
  exchange: Exchange,
  { target, subresource }: { readonly target: Target; readonly subresource: Subresource },
): Promise<void> {
  const { name, kind } = subresource;
  // Logs are read, not connected to.
  if (!kind) return;
  const object = optionsOf(kind, exchange.query);
  const view = { operation: 'CONNECT', subresource: name, kind, show: () => object } as const;
  const connection = {
    operation: 'CREATE',
    object,
    old: undefined,
    isDryRun: false,
    options: undefined,
    view,
  } as const;
  await api.admission.connect(admissionRequest(target, exchange, connection));
}

/** PodExecOptions and the like: what is not in the query is left out. */
function optionsOf({ version, kind }: KindName, query: Query): KubeObject {
  const flags = FLAGS.filter((name) => query.flag(name) === true).map((name): [string, unknown] => [name, true]);
  const container = query.get('container');
  const command = query.all('command');
  const ports = query.all('ports').map(Number).filter(Number.isInteger);
  const path = query.get('path');
  const members = {
    ...Object.fromEntries(flags),
    ...(container ? { container } : {}),
    ...(command.length > 0 ? { command } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(path ? { path } : {}),
  };
  // Options have no metadata; the type of objects wants some, and JSON leaves out what is not there.
  return { kind, apiVersion: version, ...members } as unknown as KubeObject;
}
