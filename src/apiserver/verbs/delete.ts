import { clone, deepEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { conflict, notFound, type Status } from '#kube/status.ts';
import type { DeleteOptions } from '#client/transport.ts';
import { RevisionConflict } from '#store/errors.ts';
import type { WebhookView } from '#apiserver/admission/chain.ts';
import { deleteOptions } from '#apiserver/admission/options.ts';
import { admissionRequest, type Api, refOf, type Target } from '#apiserver/api.ts';
import { planDeletion } from '#apiserver/deletion.ts';
import { present, type ServedKind } from '#apiserver/registry.ts';
import type { Caller } from '#apiserver/user.ts';
import { storedEntry } from '#apiserver/verbs/get.ts';

export interface DeleteRequest {
  readonly target: Target;
  readonly options: DeleteOptions;
  readonly view?: WebhookView;
}

/** Answers the object while it goes on existing, a Status when it is gone. */
export async function deleteObject(
  api: Api,
  { target, options, view }: DeleteRequest,
  caller: Caller,
): Promise<KubeObject | Status> {
  const { served } = target;
  for (;;) {
    const entry = storedEntry(api, target);
    checkPreconditions(target, entry.object, options);
    const admitted = { operation: 'DELETE', object: entry.object, old: entry.object } as const;
    const isDryRun = options.dryRun === true;
    const request = admissionRequest(target, caller, { ...admitted, isDryRun, view, options: deleteOptions(options) });
    await api.admission.mutate(served.resource, request);
    await api.admission.validate(served.resource, request);
    const context = { strategy: served.strategy, options, now: api.clock.now() };
    const step = planDeletion(clone(entry.object), context);
    if (step.type === 'keep' || (step.type === 'mark' && deepEqual(step.object, entry.object))) {
      return present(served, entry.object);
    }
    try {
      const stored = await carryOut(api, { target, options, expected: entry.revision, step });
      return step.type === 'mark' || served.strategy.answersDeletedObject
        ? present(served, stored)
        : gone(served, stored);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (error.actual === undefined) throw notFound(served.kind, target.name);
    }
  }
}

interface CarryOut extends DeleteRequest {
  readonly expected: number;
  readonly step: { readonly type: 'remove' | 'mark'; readonly object: KubeObject };
}

async function carryOut(api: Api, { target, options, expected, step }: CarryOut): Promise<KubeObject> {
  if (options.dryRun) return step.object;
  return api.store.write({
    resource: target.served.resource,
    ref: refOf(target),
    expected,
    object: step.object,
    remove: step.type === 'remove',
    durability: options.durability ?? 'durable',
  });
}

function checkPreconditions(
  { served, name }: Target,
  { metadata }: KubeObject,
  { preconditions }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  // The real server names the kind here, not the resource.
  const subject = { group: served.kind.group, plural: served.kind.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `${unmet('UID', uid, metadata.uid)}. The object might have been deleted and then recreated`;
    throw conflict(subject, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = unmet('ResourceVersion', resourceVersion, metadata.resourceVersion);
    throw conflict(subject, name, `${why}. The object might have been modified`);
  }
}

function unmet(what: string, wanted: string, actual: string | undefined): string {
  return `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual})`;
}

function gone({ kind }: ServedKind, { metadata }: KubeObject): Status {
  const group = kind.group === '' ? {} : { group: kind.group };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name, ...group, kind: kind.plural, uid: metadata.uid },
    code: 200,
  };
}
