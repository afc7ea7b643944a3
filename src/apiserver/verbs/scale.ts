/**
 * PUT and PATCH of the `scale` subresource: they change the number of pods that the object itself wants, and nothing
 * else. The fields belong to whoever scales, through the subresource.
 */
import { clone, isObject } from '#base/json.ts';
import { applyPatch } from '#kube/apply/apply-patch.ts';
import { child, invalidField } from '#kube/field-error.ts';
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import { apiVersionOf } from '#kube/kind.ts';
import { type KubeObject, nameOf } from '#kube/object.ts';
import { badRequest, invalid, plainError, type StatusError } from '#kube/status.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';
import type { PatchOptions, PatchType, WriteOptions } from '#client/transport.ts';
import type { WebhookView } from '#apiserver/admission/chain.ts';
import type { Api, Target } from '#apiserver/api.ts';
import type { SentBody } from '#apiserver/decode.ts';
import { changeObject } from '#apiserver/change.ts';
import { managerOf } from '#apiserver/ownership.ts';
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
  const { target, options, patchType, body } = request;
  const isApply = patchType === 'apply';
  if (isApply && target.served.kind.isCustom) throw notApplicable();
  const change = (current: KubeObject): KubeObject => {
    if (isApply) return applied(api, request, current, caller);
    const scale = scaleOf(target.served, current) as unknown as Record<string, unknown>;
    return scaled(target, current, patched(patchType, scale, body));
  };
  return write(api, { target, options, change, ...(isApply ? { ownership: 'set' } : {}) }, caller);
}

/** Through this subresource nobody can own fields of a custom kind: so Kubernetes fails. */
function notApplicable(): StatusError {
  const why = 'request to convert CR to an invalid group/version: autoscaling/v1';
  const what = 'failed to convert live object (/; autoscaling/v1, Kind=Scale) to proper version';
  return plainError(`failed to create manager for existing fields: ${what}: ${why}`);
}

function patched(patchType: PatchType, scale: Record<string, unknown>, patch: unknown): unknown {
  if (patchType === 'json') return applyJsonPatch(scale, patch);
  if (patchType === 'strategic') return applyStrategicMerge(Scale.schema, scale, patch);
  return applyMergePatch(scale, patch);
}

/** Of what is applied only the number goes on to the object, under the name of its own kind. */
function applied(api: Api, { target, body, options }: PatchRequest, live: KubeObject, caller: Caller): KubeObject {
  const kind = target.served.storedAs;
  const configuration = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: target.name } };
  writePath(configuration, scalePathsOf(target.served).specReplicasPath, replicasOf(body, target));
  return applyPatch({
    kind,
    live,
    applied: configuration,
    manager: managerOf(options, caller),
    force: options.force === true,
    subresource: 'scale',
    nowMs: api.clock.now(),
  });
}

export function updateScale(api: Api, { target, body, options }: ScaleRequest, caller: Caller): Promise<Scale> {
  const change = (current: KubeObject): KubeObject => scaled(target, current, body.value);
  return write(api, { target, options, change }, caller);
}

interface ScaleChange {
  readonly target: Target;
  readonly options: WriteOptions;
  readonly change: (current: KubeObject) => KubeObject;
  readonly ownership?: 'set';
}

async function write(api: Api, { target, ...change }: ScaleChange, caller: Caller): Promise<Scale> {
  scalePathsOf(target.served);
  const whole: Target = { ...target, subresource: undefined };
  const write = { ...change, target: whole, ownedThrough: 'scale', view: viewOf(target.served) };
  return scaleOf(target.served, await changeObject(api, write, caller));
}

/** Webhooks see the Scale, and may change the number in it. */
function viewOf(served: Target['served']): WebhookView {
  return {
    operation: 'UPDATE',
    subresource: 'scale',
    kind: Scale,
    show: (object) => scaleOf(served, object),
    take: (scale, object) =>
      writePath(object, scalePathsOf(served).specReplicasPath, replicasOf(scale, { served, name: nameOf(object) })),
  };
}

function scaled({ served, name }: Target, current: KubeObject, scale: unknown): KubeObject {
  const { metadata = {} } = scale as { metadata?: KubeObject['metadata'] };
  if (metadata.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  const object = clone(current);
  writePath(object, scalePathsOf(served).specReplicasPath, replicasOf(scale, { served, name }));
  // The version that the caller saw, if it says so: a stale one is a conflict.
  object.metadata.resourceVersion = metadata.resourceVersion ?? current.metadata.resourceVersion;
  return object;
}

/** What a definition says of the numbers of its kind is checked with the object. */
function replicasOf(scale: unknown, { served, name }: Pick<Target, 'served' | 'name'>): number {
  const spec = isObject(scale) && isObject(scale['spec']) ? scale['spec'] : {};
  const replicas = Number(spec['replicas'] ?? 0);
  if (replicas >= 0 || served.kind.definition) return replicas;
  const error = invalidField(child('spec', 'replicas'), replicas, 'must be greater than or equal to 0');
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [error]);
}
