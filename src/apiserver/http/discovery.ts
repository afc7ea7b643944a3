/** What the server serves, in the old form (one document per group and version) and the aggregated one. */
import { createHash } from 'node:crypto';
import { noSuchResource } from '#kube/status.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { aggregatedDiscovery } from '#apiserver/http/aggregated-discovery.ts';
import { requireGet } from '#apiserver/http/miscellany.ts';
import { type Negotiable, negotiate } from '#apiserver/http/negotiate.ts';
import { PageNotFound } from '#apiserver/http/plain-failure.ts';
import { sendObject } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { groupsOf, type ServedGroup } from '#apiserver/http/groups.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { subresourcesOf, verbsOf } from '#apiserver/resources.ts';

export type DiscoveryPath =
  | { readonly type: 'root'; readonly root: 'api' | 'apis' }
  | { readonly type: 'group'; readonly group: string }
  | { readonly type: 'version'; readonly group: string; readonly version: string };

const AGGREGATED = { group: 'apidiscovery.k8s.io', kind: 'APIGroupDiscoveryList', version: 'v2' } as const;
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

const plainForms: Negotiable = { produces: MEDIA_TYPES, accepts: MEDIA_TYPES, allows: () => undefined };
const rootForms: Negotiable = {
  ...plainForms,
  allows: ({ kind, group, version }) =>
    kind === AGGREGATED.kind && group === AGGREGATED.group && version === AGGREGATED.version
      ? { kind: AGGREGATED.kind, version }
      : undefined,
};

export async function handleDiscovery(http: HttpApi, exchange: Exchange, path: DiscoveryPath): Promise<void> {
  requireGet(exchange);
  const groups = groupsOf(http.api.registry);
  exchange.format = negotiate(exchange.header('accept'), path.type === 'root' ? rootForms : plainForms);
  if (exchange.format.view) return sendAggregated(exchange, groups, path);
  await sendObject(exchange, { code: 200, body: documentFor(exchange, groups, path) });
}

function documentFor(exchange: Exchange, groups: readonly ServedGroup[], path: DiscoveryPath): object {
  if (path.type === 'root') {
    if (path.root === 'apis') return groupList(groups);
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: addresses(exchange) };
  }
  const group = groups.find(({ name }) => name === path.group);
  if (!group) throw new PageNotFound();
  if (path.type === 'group') return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group) };
  const version = group.versions.find(({ name }) => name === path.version);
  if (!version) throw group.isCustom ? new PageNotFound() : noSuchResource();
  return resourceList(version.kinds);
}

function addresses({ request }: Exchange): object[] {
  const { localAddress = '', localPort = 0 } = request.socket;
  return [{ clientCIDR: '0.0.0.0/0', serverAddress: `${localAddress}:${localPort}` }];
}

function groupList(groups: readonly ServedGroup[]): object {
  const named = groups.filter(({ name }) => name !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(groupDocument) };
}

function groupDocument({ name, versions }: ServedGroup): object {
  const documents = versions.map((version) => ({ groupVersion: `${name}/${version.name}`, version: version.name }));
  return { name, versions: documents, preferredVersion: documents[0] };
}

function resourceList(kinds: readonly ServedKind[]): object {
  const [first] = kinds;
  const groupVersion = first ? apiVersionOf(first.kind) : '';
  return {
    kind: 'APIResourceList',
    ...(first?.kind.group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: kinds.flatMap(resourceDocuments),
  };
}

function resourceDocuments(served: ServedKind): object[] {
  const { kind } = served;
  const { plural, singular, namespaced, shortNames, categories } = kind;
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs: verbsOf(served),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(served.virtual ? {} : { storageVersionHash: storageVersionHash(served) }),
  };
  const subresources = subresourcesOf(served).map(({ name, verbs, kind: other }) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(other && other.group !== '' ? { group: other.group, version: other.version } : {}),
    kind: other?.kind ?? kind.kind,
    verbs,
  }));
  return [own, ...subresources];
}

/** Kubernetes keeps these in an older version than it serves. */
const STORED_OTHERWISE: Readonly<Record<string, string>> = {
  'customresourcedefinitions.apiextensions.k8s.io': 'v1beta1',
};

/** Tells clients when the stored version of a kind has changed. */
function storageVersionHash({ storedAs, resource }: ServedKind): string {
  const text = `${storedAs.group}/${STORED_OTHERWISE[resource] ?? storedAs.version}/${storedAs.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}

async function sendAggregated(exchange: Exchange, groups: readonly ServedGroup[], path: DiscoveryPath): Promise<void> {
  const isCore = path.type === 'root' && path.root === 'api';
  const document = aggregatedDiscovery(groups.filter(({ name }) => (name === '') === isCore));
  const text = JSON.stringify(document);
  const etag = `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"`;
  const { response } = exchange;
  response.setHeader('Cache-Control', 'public');
  response.setHeader('Vary', 'Accept');
  response.setHeader('ETag', etag);
  if (exchange.header('if-none-match') === etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  await sendObject(exchange, { code: 200, body: text, contentType: AGGREGATED_TYPE });
}
