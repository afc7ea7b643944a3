/** PUT of the `scale` subresource: changes the number of pods that the object itself wants. */
import { clone, isObject } from '#base/json.ts';
import { child, invalidField } from '#kube/field-error.ts';
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import type { KubeObject } from '#kube/object.ts';
import { invalid } from '#kube/status.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';
import type { PatchOptions, PatchType, WriteOptions } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import type { SentBody } from '#apiserver/decode.ts';
import { changeObject } from '#apiserver/change.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { scaleOf, scalePathsOf, writePath } from '#apiserver/scale.ts';
import type { Caller } from '#apiserver/user.ts';

interface PatchRequest {
  readonly target: Target;
  readonly patchType: PatchType;
  readonly body: unknown;
  readonly options: PatchOptions;
}

export interface ScaleRequest {
  readonly target: Target;
  readonly body: SentBody;
  readonly options: WriteOptions;
}

/** A patch of the Scale view; what it makes of the number of pods is what counts. */
export async function patchScale(api: Api, request: PatchRequest, caller: Caller): Promise<Scale> {
  const { target, options } = request;
  const plain: Target = { ...target, subresource: undefined };
  const change = (current: KubeObject): KubeObject => {
    const scale = scaleOf(target.served, current) as unknown as Record<string, unknown>;
    const patched = scalePatchedBy(request, scale);
    const replicas = replicasOf(patched, target);
    return withReplicas(target.served, current, { replicas, sent: patched as KubeObject });
  };
  return scaleOf(target.served, await changeObject(api, { target: plain, options, change }, caller));
}

function scalePatchedBy({ patchType, body }: PatchRequest, scale: Record<string, unknown>): unknown {
  if (patchType === 'json') return applyJsonPatch(scale, body);
  if (patchType === 'strategic') return applyStrategicMerge(Scale.schema, scale, body);
  return applyMergePatch(scale, body);
}

export async function updateScale(api: Api, { target, body, options }: ScaleRequest, caller: Caller): Promise<Scale> {
  const replicas = replicasOf(body.value, target);
  const sent = body.value as KubeObject;
  const plain: Target = { ...target, subresource: undefined };
  const change = (current: KubeObject): KubeObject => withReplicas(target.served, current, { replicas, sent });
  const stored = await changeObject(api, { target: plain, options, change }, caller);
  return scaleOf(target.served, stored);
}

function withReplicas(
  served: ServedKind,
  current: KubeObject,
  { replicas, sent }: { replicas: number; sent: KubeObject },
): KubeObject {
  const object = clone(current);
  writePath(object, scalePathsOf(served).specReplicasPath, replicas);
  // The version that the caller saw, if it says so: a stale one is a conflict.
  object.metadata.resourceVersion = sent.metadata?.resourceVersion ?? current.metadata.resourceVersion;
  return object;
}

function replicasOf(body: unknown, target: Target): number {
  const spec = isObject(body) && isObject(body['spec']) ? body['spec'] : {};
  const replicas = Number(spec['replicas'] ?? 0);
  if (replicas >= 0) return replicas;
  const error = invalidField(child('spec', 'replicas'), replicas, 'must be greater than or equal to 0');
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, target.name, [error]);
}
