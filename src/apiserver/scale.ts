/** The `scale` subresource: one small view of how many pods an object wants and has. */
import { isObject } from '#base/json.ts';
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import { type ScaleSubresource, typed } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { noSuchResource } from '#kube/status.ts';
import type { ServedKind } from '#apiserver/registry.ts';

export function scaleOf(served: ServedKind, object: KubeObject): Scale {
  const paths = scalePathsOf(served);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.labelSelectorPath && selectorText(readPath(object, paths.labelSelectorPath));
  const replicas = Number(readPath(object, paths.specReplicasPath) ?? 0);
  const scale = typed(Scale, {
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: Number(readPath(object, paths.statusReplicasPath) ?? 0) },
  });
  if (selector && scale.status) scale.status.selector = selector;
  return scale;
}

/** 404 for a kind without the subresource. */
export function scalePathsOf({ storedAs }: ServedKind): ScaleSubresource {
  if (!storedAs.scale) throw noSuchResource();
  return storedAs.scale;
}

/** A label selector as text, from its object form or from a text or a plain map as it is. */
function selectorText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return undefined;
  const labels = isObject(value['matchLabels']) ? value['matchLabels'] : {};
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`)
    .join(',');
}

/** `.spec.replicas` and the like: member after member. */
function readPath(object: unknown, path: string): unknown {
  let value = object;
  for (const name of path.split('.').slice(1)) value = isObject(value) ? value[name] : undefined;
  return value;
}

export function writePath(object: KubeObject, path: string, value: unknown): void {
  const names = path.split('.').slice(1);
  const last = names.pop() ?? '';
  let parent = object as unknown as Record<string, unknown>;
  for (const name of names) {
    const next = isObject(parent[name]) ? parent[name] : {};
    parent[name] = next;
    parent = next;
  }
  parent[last] = value;
}
