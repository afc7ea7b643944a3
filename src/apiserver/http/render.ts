/** Objects and lists as they are sent: whole, as tables or as their metadata only. */
import { badRequest, failure, type Status, StatusError } from '#kube/status.ts';
import type { KubeObject, ListMeta, ObjectList } from '#kube/object.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { View } from '#apiserver/http/negotiate.ts';
import { goPackage } from '#apiserver/decode.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { type IncludeObject, tableOf } from '#apiserver/table/table.ts';

export interface Rendering {
  readonly served: ServedKind;
  readonly now: number;
}

/** An object, or a Status that stands in its place. */
export function renderObject(exchange: Exchange, object: KubeObject | Status, rendering: Rendering): object {
  const { view } = exchange.format;
  if (isStatusBody(object)) return statusBody(object);
  if (view === undefined) return object;
  if (view.kind === 'PartialObjectMetadataList') throw notAList(rendering.served);
  return renderView(exchange, view, { objects: [object], list: undefined }, rendering);
}

export function renderList(exchange: Exchange, list: ObjectList<KubeObject>, rendering: Rendering): object | string {
  const { view, mediaType } = exchange.format;
  if (view === undefined) return mediaType === 'protobuf' ? list : listText(list, rendering.served);
  if (view.kind === 'PartialObjectMetadata') throw isAList(rendering.served);
  return renderView(exchange, view, { objects: list.items, list }, rendering);
}

interface Rendered {
  readonly objects: readonly KubeObject[];
  readonly list: ObjectList<KubeObject> | undefined;
}

function renderView(exchange: Exchange, view: View, { objects, list }: Rendered, rendering: Rendering): object {
  const apiVersion = `meta.k8s.io/${view.version}`;
  if (view.kind === 'Table') {
    const metadata = list?.metadata ?? { resourceVersion: objects[0]?.metadata.resourceVersion ?? '' };
    const include = includeOf(exchange);
    return {
      kind: 'Table',
      apiVersion,
      metadata: viewMetadata(metadata),
      ...tableOf(rendering.served, objects, { ...rendering, include, apiVersion }),
    };
  }
  const items = objects.map((object) => partialOf(object, apiVersion));
  if (!list) return items[0] ?? {};
  // An empty list of metadata has always been null.
  return {
    kind: view.kind,
    apiVersion,
    metadata: viewMetadata(list.metadata),
    items: items.length === 0 ? null : items,
  };
}

/** In views an empty token is left out. */
function viewMetadata({ continue: token, ...rest }: ListMeta): ListMeta {
  return { ...rest, ...(token ? { continue: token } : {}) };
}

export function partialOf({ metadata }: KubeObject, apiVersion: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata };
}

export function includeOf({ query }: Exchange): IncludeObject {
  const wanted = query.get('includeObject') || 'Metadata';
  const include = INCLUDED.find((one) => one === wanted);
  if (include !== undefined) return include;
  const why = `Invalid value: ${JSON.stringify(wanted)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${why}`);
}

const INCLUDED = ['Metadata', 'Object', 'None'] as const;

/** As text, since the items of built-in kinds leave out their types, and nothing is to be copied for that. */
function listText(list: ObjectList<KubeObject>, served: ServedKind): string {
  return `${listHead(list)}${list.items.map((item) => itemText(served, item)).join(',')}]}`;
}

/** Up to the first item. */
export function listHead({ kind, apiVersion, metadata }: ObjectList<KubeObject>): string {
  return `${JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)},"items":[`;
}

export function itemText({ kind: { isCustom } }: ServedKind, object: KubeObject): string {
  if (isCustom) return JSON.stringify(object);
  const { apiVersion: _, kind: __, ...rest } = object;
  return JSON.stringify(rest);
}

function isStatusBody(object: KubeObject | Status): object is Status {
  return object.kind === 'Status' && object.apiVersion === 'v1';
}

/** The success of a deletion carries no code in the body, that of a creation does. */
function statusBody(status: Status): object {
  if (status.status === 'Failure' || status.code !== 200) return status;
  const { code: _, ...body } = status;
  return body;
}

function isAList(served: ServedKind): StatusError {
  return wrongView(`you requested PartialObjectMetadata, but the requested object is a list (${goType(served)}List)`);
}

function notAList(served: ServedKind): StatusError {
  return wrongView(
    `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(served)})`,
  );
}

function wrongView(message: string): StatusError {
  return new StatusError(failure({ code: 406, reason: 'NotAcceptable', message }));
}

/** What Go calls the type inside the real server, which shows in these two messages. */
function goType({ kind }: ServedKind): string {
  if (kind.isCustom) return '*unstructured.Unstructured';
  return `*${goPackage(kind.group)}.${kind.kind}`;
}
