/** PUT of the `scale` subresource: changes the number of pods that the object itself wants. */
import { clone, isObject } from '#base/json.ts';
import { child, invalidField } from '#kube/field-error.ts';
import type { Scale } from '#kube/kinds/autoscaling/scale.ts';
import type { KubeObject } from '#kube/object.ts';
import { invalid } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import type { SentBody } from '#apiserver/decode.ts';
import { changeObject } from '#apiserver/change.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { scaleOf, scalePathsOf, writePath } from '#apiserver/scale.ts';
import type { Caller } from '#apiserver/user.ts';

export interface ScaleRequest {
  readonly target: Target;
  readonly body: SentBody;
  readonly options: WriteOptions;
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
