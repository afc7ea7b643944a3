/**
 * From v1 to serving.knative.dev/v1alpha1, for whoever still reads it. The spec keeps the members of v1, as it did in
 * the last releases with v1alpha1; the status gets the old ones beside the new: domain, domainInternal,
 * address.hostname, traffic[].name, imageDigest, serviceName.
 */
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import type { Json } from '#knative/legacy/to-v1.ts';

/** The status of a Service or Route. */
export function routeStatusFromV1(status: Json): Json {
  const old: Json = { ...status };
  const domain = hostOf(status['url']);
  if (domain !== undefined) old['domain'] = domain;
  const { address, traffic } = status;
  const internal = isObject(address) ? hostOf(address['url']) : undefined;
  if (isObject(address) && internal !== undefined) {
    old['domainInternal'] = internal;
    old['address'] = { ...address, hostname: internal };
  }
  if (Array.isArray(traffic)) old['traffic'] = traffic.map(withName);
  return old;
}

function withName(target: unknown): unknown {
  return isObject(target) && target['tag'] ? { ...target, name: target['tag'] } : target;
}

/** The host of a URL, without its port: it is used as a Host header. */
function hostOf(url: unknown): string | undefined {
  return typeof url === 'string' ? URL.parse(url)?.hostname : undefined;
}

export function revisionStatusFromV1(status: Json, { metadata }: KubeObject): Json {
  const old: Json = { ...status, serviceName: metadata.name };
  const [first] = Array.isArray(status['containerStatuses']) ? (status['containerStatuses'] as unknown[]) : [];
  const digest = isObject(first) ? first['imageDigest'] : undefined;
  return digest === undefined ? old : { ...old, imageDigest: digest };
}
