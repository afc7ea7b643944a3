/** Tells pod templates apart: by content for equality, by a hash for names and labels. Pure. */
import { createHash } from 'node:crypto';
import { safeEncode } from '#base/ids.ts';
import { clone, deepEqual, isObject } from '#base/json.ts';
import type { PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** Equal but for the hash label. */
export function sameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return deepEqual(withoutHash(left), withoutHash(right));
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const copy = clone(template ?? {}) as PodTemplateSpec;
  if (copy.metadata?.labels) delete copy.metadata.labels[POD_TEMPLATE_HASH];
  return copy;
}

/** Ten letters of Kubernetes' name alphabet; `collisions` draws another when the name is taken. */
export function templateHash(template: PodTemplateSpec, collisions: number): string {
  const digest = createHash('sha256').update(canonical(template)).update(String(collisions)).digest();
  return safeEncode((digest.readUInt32BE(0) % 1_000_000_000).toString().padStart(9, '0') + ((digest[4] ?? 0) % 10));
}

/** JSON with sorted members, so that equal templates hash alike. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}
