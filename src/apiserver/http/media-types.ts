/** The media types of resources, in the words of 406 and 415. */
import { apiVersionOf } from '#kube/kind.ts';
import { failure, StatusError } from '#kube/status.ts';
import type { PatchType } from '#client/transport.ts';
import type { BodyType } from '#apiserver/http/body.ts';
import { type Negotiable, PROTOBUF_TYPE, type View } from '#apiserver/http/negotiate.ts';
import { messageOf } from '#apiserver/protobuf/messages.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import type { Verb } from '#apiserver/resources.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';

const CUSTOM = [JSON_TYPE, YAML_TYPE];
const BUILTIN = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
const STREAMS = [`${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`];

const META_GROUP = 'meta.k8s.io';
const META_VERSIONS = ['v1', 'v1beta1'];
const VIEWS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

/** What answers about a resource may look like. */
export function resourceForms({ kind }: ServedKind, verb: Verb): Negotiable {
  const accepts = hasProtobuf(kind) ? BUILTIN : CUSTOM;
  const isStreamed = verb === 'list' || verb === 'watch';
  return { produces: isStreamed ? [...accepts, ...STREAMS] : accepts, accepts, allows: metaView };
}

function metaView({ kind, group, version }: { kind: string; group: string; version: string }): View | undefined {
  const known = VIEWS.find((one) => one === kind);
  const isServed = group === META_GROUP && META_VERSIONS.includes(version);
  return known && isServed ? { kind: known, version } : undefined;
}

/** @param kind the object's own, which says whether protobuf has a message for it. */
export function bodyTypeOf({ kind }: Pick<ServedKind, 'kind'>, contentType: string | undefined): BodyType {
  const type = baseType(contentType);
  if (type === '' || type === JSON_TYPE) return 'json';
  if (type === YAML_TYPE) return 'yaml';
  if (type === PROTOBUF_TYPE && hasProtobuf(kind)) return 'protobuf';
  // The list is Kubernetes' own; to whoever sends protobuf it must not name what was just refused.
  throw unknownFormat(kind.isCustom || type === PROTOBUF_TYPE ? CUSTOM : BUILTIN);
}

function hasProtobuf(kind: ServedKind['kind']): boolean {
  return messageOf({ apiVersion: apiVersionOf(kind), kind: kind.kind }) !== undefined;
}

export function isProtobuf(contentType: string | undefined): boolean {
  return baseType(contentType) === PROTOBUF_TYPE;
}

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export function patchTypeOf({ kind }: ServedKind, contentType: string | undefined): PatchType {
  const patchType = PATCH_TYPES[baseType(contentType)];
  if (kind.isCustom && (patchType === undefined || patchType === 'strategic')) {
    throw unknownFormat(Object.keys(PATCH_TYPES).filter((type) => PATCH_TYPES[type] !== 'strategic'));
  }
  if (patchType !== undefined) return patchType;
  const message = '415: Unsupported Media Type';
  throw new StatusError(failure({ code: 415, reason: 'UnsupportedMediaType', message, details: {} }));
}

function baseType(contentType = ''): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

function unknownFormat(accepted: readonly string[]): StatusError {
  const list = accepted.join(', ');
  const message = `the body of the request was in an unknown format - accepted media types include: ${list}`;
  return new StatusError(failure({ code: 415, reason: 'UnsupportedMediaType', message }));
}
