/** What an update of the object, its status or another part of it may change, and how that is checked. */
import type { FieldError } from '#kube/field-error.ts';
import type { KubeObject } from '#kube/object.ts';
import { clone } from '#base/json.ts';
import type { Target } from '#apiserver/api.ts';
import type { SubresourceStrategy, WriteContext } from '#apiserver/strategy.ts';

type WithStatus = KubeObject & { status?: unknown };

export interface Revised {
  /** Of our own; changed in place. */
  readonly object: KubeObject;
  readonly old: KubeObject;
  readonly context: WriteContext;
}

export function prepareForUpdate({ served, subresource }: Target, { object, old, context }: Revised): void {
  if (subresource !== undefined)
    return subresourceOf(served.strategy, subresource).prepareForUpdate(object, old, context);
  if (served.storedAs.hasStatus) replaceMember(object, old, 'status');
  served.strategy.prepareForUpdate?.(object, old, context);
  if (served.strategy.isNewGeneration?.(object, old)) {
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
}

export function validateUpdate(
  { served, subresource }: Target,
  { object, old, context }: Revised,
): readonly FieldError[] {
  if (subresource === undefined) return served.strategy.validateUpdate?.(object, old, context) ?? [];
  return subresourceOf(served.strategy, subresource).validateUpdate?.(object, old, context) ?? [];
}

function subresourceOf(strategy: Target['served']['strategy'], name: string): SubresourceStrategy {
  return strategy.subresources?.[name] ?? plainStatus;
}

/** A write of the status of a built-in kind leaves the spec alone. */
export const plainStatus: SubresourceStrategy = {
  prepareForUpdate(object: KubeObject, old: KubeObject) {
    replaceMember(object, old, 'spec');
  },
};

/** A write of the status of a custom kind changes nothing else, but who owns it. */
export const statusOnly: SubresourceStrategy = {
  prepareForUpdate(object, old) {
    for (const name of new Set([...Object.keys(object), ...Object.keys(old)])) {
      if (name !== 'status' && name !== 'metadata') replaceMember(object, old, name);
    }
    const { managedFields } = object.metadata;
    object.metadata = clone(old.metadata);
    if (managedFields) object.metadata.managedFields = managedFields;
  },
};

/** Takes a member back to what it was. */
export function replaceMember(object: KubeObject, old: KubeObject, name: string): void {
  const members = object as WithStatus & Record<string, unknown>;
  const before = (old as WithStatus & Record<string, unknown>)[name];
  if (before === undefined) delete members[name];
  else members[name] = before;
}
