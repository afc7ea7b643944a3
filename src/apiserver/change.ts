/**
 * The common road of everything that changes an object: PUT, PATCH, server-side apply, the scale and other
 * subresources.
 *
 * Without a resourceVersion in the new object the change is made to whatever is stored, again from the start when
 * somebody else wrote in between. A change that leaves the object as it was writes nothing.
 */
import { clone, deepEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { invalid, notFound, staleVersion, plainError } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import { RevisionConflict } from '#store/errors.ts';
import type { TableEntry } from '#store/table.ts';
import type { WebhookView } from '#apiserver/admission/chain.ts';
import { updateOptions } from '#apiserver/admission/options.ts';
import { admissionRequest, type Api, refOf, type Target, writeContext } from '#apiserver/api.ts';
import { badVersionNumber } from '#apiserver/errors.ts';
import { carryOver, metadataUpdateProblems } from '#apiserver/metadata.ts';
import { demandSize } from '#apiserver/object-size.ts';
import { trackOwnership } from '#apiserver/ownership.ts';
import { present } from '#apiserver/registry.ts';
import { prepareForUpdate, validateUpdate } from '#apiserver/subresources.ts';
import type { Caller } from '#apiserver/user.ts';

/** How often a change is made again because somebody else wrote in between. */
const MAX_ATTEMPTS = 100;

export interface Change {
  readonly target: Target;
  readonly options: WriteOptions;
  /** The new object, of our own and in the stored version, from the stored one. */
  readonly change: (current: KubeObject) => KubeObject | Promise<KubeObject>;
  /** `set` when the change sets managedFields itself. */
  readonly ownership?: 'set';
  /** The subresource through which the fields come to be owned, where the write is one of the object itself. */
  readonly ownedThrough?: string;
  readonly view?: WebhookView;
}

export async function changeObject(api: Api, request: Change, caller: Caller): Promise<KubeObject> {
  const { target, options, change, view } = request;
  for (let attempt = 1; ; attempt += 1) {
    const entry = api.store.get(target.served.resource, refOf(target));
    if (!entry) throw notFound(target.served.kind, target.name);
    const object = await change(entry.object);
    checkVersion(target, object, entry);
    try {
      if (request.ownership !== 'set') {
        const owned = { ...target, subresource: request.ownedThrough ?? target.subresource };
        trackOwnership(api, owned, { before: entry.object, after: object, options }, caller);
      }
      const stored = await replace(api, { target, object, entry, options, view }, caller);
      return present(target.served, stored);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (error.actual === undefined) throw notFound(target.served.kind, target.name);
      if (attempt >= MAX_ATTEMPTS) throw staleVersion(target.served.kind, target.name);
    }
  }
}

interface Replacement {
  readonly target: Target;
  readonly object: KubeObject;
  readonly entry: TableEntry;
  readonly options: WriteOptions;
  readonly view: WebhookView | undefined;
}

async function replace(api: Api, replacement: Replacement, caller: Caller): Promise<KubeObject> {
  const { target, object, entry, options } = replacement;
  const { served } = target;
  const old = entry.object;
  const isDryRun = options.dryRun === true;
  const admitted = {
    operation: 'UPDATE',
    object,
    old,
    isDryRun,
    options: updateOptions(options),
    view: replacement.view,
  } as const;
  const context = writeContext(api, caller, isDryRun);
  await api.admission.mutate(served.resource, admissionRequest(target, caller, admitted));
  const { namespace, name } = target;
  served.strategy.checkRights?.({ object, old, user: caller.user, namespace, name });
  carryOver(object, old);
  using _ = target.subresource === undefined ? served.strategy.allocate?.(object, old, context) : undefined;
  prepareForUpdate(target, { object, old, context });
  const ofMetadata = metadataUpdateProblems(object, old);
  // The real server checks metadata twice, and says so twice.
  const errors = [...ofMetadata, ...ofMetadata, ...validateUpdate(target, { object, old, context })];
  if (errors.length > 0) throw invalid(served.storedAs, object.metadata.name ?? '', errors);
  await api.admission.validate(served.resource, admissionRequest(target, caller, admitted));
  demandSize(object, caller);
  using _room =
    target.subresource === undefined
      ? api.quotas.admit({ kind: served.kind, resource: served.resource, namespace, object, old })
      : undefined;
  for (const warning of served.strategy.warnings?.(object, old) ?? []) caller.warn(warning);
  object.metadata.resourceVersion = old.metadata.resourceVersion;
  // Awaited here: what is reserved for the write is given back only once it is decided.
  return await commit(api, replacement);
}

async function commit(api: Api, { target, object, entry, options }: Replacement): Promise<KubeObject> {
  const { resource } = target.served;
  const remove = isReleased(target, object, entry.object);
  if (!remove && deepEqual(object, entry.object)) return entry.object;
  if (options.dryRun) return object;
  const stored = await api.store.write({
    resource,
    ref: refOf(target),
    expected: entry.revision,
    object: remove ? clone(entry.object) : object,
    remove,
    durability: options.durability ?? 'durable',
  });
  // Who lets go of an object sees it as it wrote it; watchers see it as it last was, at the version of its end.
  return remove ? object : stored;
}

/** True when the object was only kept by what this write took away. */
function isReleased({ served }: Target, object: KubeObject, old: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0) return false;
  if ((object.metadata.finalizers ?? []).length > 0) return false;
  return !served.strategy.isHeld?.(object);
}

/** A new object that names another version than the stored one is a conflict. */
function checkVersion(target: Target, object: KubeObject, entry: TableEntry): void {
  const { served, name } = target;
  const version = object.metadata.resourceVersion ?? '';
  if (version !== '' && !/^[0-9]+$/.test(version)) throw plainError(badVersionNumber(version));
  if (version === '' || version === '0') {
    if (!served.strategy.requiresVersionOnUpdate) return;
    const message = 'Invalid value: 0x0: must be specified for an update';
    const error = { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message } as const;
    throw invalid({ group: served.kind.group, kind: served.kind.plural }, name, [error]);
  }
  if (Number(version) !== entry.revision) throw staleVersion(served.kind, name);
}
