/** When a write counts as a new generation: rules shared by several kinds. */
import { deepEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';

type WithSpec = KubeObject & { spec?: unknown };

export function specChanged(object: KubeObject, old: KubeObject): boolean {
  return !deepEqual((object as WithSpec).spec, (old as WithSpec).spec);
}

/** Anything but the metadata and the status: how custom kinds count. */
export function contentChanged(object: KubeObject, old: KubeObject): boolean {
  return !deepEqual(contentOf(object), contentOf(old));
}

function contentOf(object: KubeObject): object {
  const { metadata: _, status: __, ...content } = object as KubeObject & { status?: unknown };
  return content;
}
