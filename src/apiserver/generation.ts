/** When a write counts as a new generation: rules shared by several kinds. */
import { deepEqual } from '#base/json.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';

type WithSpec = KubeObject & { spec?: unknown };

export function specChanged(object: KubeObject, old: KubeObject): boolean {
  return !deepEqual((object as WithSpec).spec, (old as WithSpec).spec);
}

/** Anything but the metadata and a status that is written by itself: how custom kinds count. */
export function contentChanged(kind: Pick<Kind, 'hasStatus'>, object: KubeObject, old: KubeObject): boolean {
  return !deepEqual(contentOf(kind, object), contentOf(kind, old));
}

function contentOf({ hasStatus }: Pick<Kind, 'hasStatus'>, object: KubeObject): object {
  const { apiVersion: _, metadata: __, status, ...content } = object as KubeObject & { status?: unknown };
  return hasStatus ? content : { ...content, status };
}
