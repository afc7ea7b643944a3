/** Who owns what after a create, an update or a patch other than an apply. */
import { deepEqual } from '#base/json.ts';
import { EMPTY_SET, type FieldSet, isEmptySet, union, withoutSubtrees } from '#kube/apply/field-set.ts';
import {
  asksForReset,
  capUpdates,
  identityOf,
  type Manager,
  type Managers,
  readManagers,
  writeManagers,
} from '#kube/apply/managers.ts';
import { disown, reconcileManagers, withoutUnowned } from '#kube/apply/ownership.ts';
import { UnnamedElementError } from '#kube/apply/typed-value.ts';
import { emptyValue } from '#kube/canonical.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject, ManagedFieldsEntry } from '#kube/object.ts';

export interface Update {
  readonly kind: Pick<Kind, 'group' | 'version' | 'schema' | 'isCustom'>;
  /** The stored object; undefined when the update creates it. */
  readonly before: KubeObject | undefined;
  /** What is about to be stored; its managedFields are those that the writer sent. */
  readonly after: KubeObject;
  readonly manager: string;
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource?: string;
  readonly nowMs: number;
  /** Fields that the endpoint resets, such as `status` on the main resource. */
  readonly resetFields?: FieldSet;
}

/**
 * The managedFields that the object is to be stored with; undefined for none. A stored object without managers is not
 * tracked, nor is one with a list whose elements cannot be told apart.
 */
export function trackUpdate(update: Update): ManagedFieldsEntry[] | undefined {
  const managers = managersBefore(update);
  if (managers.size === 0 && update.before !== undefined) return undefined;
  try {
    return writeManagers(capUpdates(trackChange(update, managers)));
  } catch (error) {
    if (error instanceof UnnamedElementError) return undefined;
    throw error;
  }
}

/** A writer may edit the entries, or have them forgotten; through a subresource it may not. */
function managersBefore({ before, after, subresource = '' }: Update): Managers {
  const stored = readManagers(before?.metadata.managedFields) ?? new Map<string, Manager>();
  const sent = after.metadata.managedFields;
  if (subresource !== '') return stored;
  if (asksForReset(sent)) return new Map();
  if (deepEqual(sent, before?.metadata.managedFields)) return stored;
  const edited = readManagers(sent);
  return edited === undefined || edited.size === 0 ? stored : edited;
}

/** What an object of the kind has before anyone has set anything: nobody comes to own that. */
export function newObject(kind: Pick<Kind, 'schema' | 'isCustom'>): Record<string, unknown> {
  return kind.isCustom ? { metadata: {} } : emptyValue(kind.schema);
}

/** One change by one manager; without `before`, the object is new. */
export function trackChange(update: Update, managersBefore: Managers): Map<string, Manager> {
  const { kind, before, after, resetFields = EMPTY_SET, nowMs } = update;
  const apiVersion = apiVersionOf(kind);
  const reconciled = reconcileManagers(managersBefore, kind.schema, apiVersion);
  const change = {
    schema: kind.schema,
    before: before === undefined ? newObject(kind) : withoutManagers(before),
    after: withoutManagers(after),
    resetFields,
  };
  const { managers, comparison } = disown(change, reconciled, undefined);
  const changed = withoutUnowned(withoutSubtrees(union(comparison.modified, comparison.added), resetFields));
  if (isEmptySet(changed)) return managers;
  const author: Manager = {
    name: update.manager === '' ? 'unknown' : update.manager,
    operation: 'Update',
    apiVersion,
    subresource: update.subresource ?? '',
    fields: changed,
    timeMs: nowMs,
  };
  const identity = identityOf(author);
  const former = managers.get(identity);
  managers.set(identity, { ...author, fields: union(changed, former?.fields ?? EMPTY_SET) });
  return managers;
}

/** The object as ownership sees it: managedFields own nothing, and are owned by nobody. */
export function withoutManagers(object: Pick<KubeObject, 'metadata'>): Record<string, unknown> {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
