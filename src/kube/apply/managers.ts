/**
 * Managers: who owns which fields of an object. `metadata.managedFields` is read into them and written from them.
 *
 * A manager is told apart by its name, the operation (Apply or Update), the subresource, and, for updates, the
 * version that it wrote in.
 */
import { deepFreeze, isObject } from '#base/json.ts';
import { EMPTY_SET, type FieldSet, fromFieldsV1, toFieldsV1, union } from '#kube/apply/field-set.ts';
import type { ManagedFieldsEntry } from '#kube/object.ts';
import { formatTime, parseTime } from '#kube/time.ts';

export type Operation = 'Apply' | 'Update';

export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly fields: FieldSet;
  /** Milliseconds since the epoch; whole seconds once written. */
  readonly timeMs: number | undefined;
}

/** By identity, see `identityOf`. */
export type Managers = ReadonlyMap<string, Manager>;

/** Most entries of updates that an object keeps; the oldest are put together beyond that. */
const MAX_UPDATE_MANAGERS = 10;
const OLD_UPDATES = 'ancient-changes';

/** Also the order in which conflicts are reported. */
export function identityOf({ name, operation, apiVersion, subresource }: Omit<Manager, 'fields' | 'timeMs'>): string {
  return JSON.stringify({
    manager: name,
    operation,
    ...(operation === 'Update' ? { apiVersion } : {}),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/** Undefined when an entry cannot be understood; Kubernetes then takes the object to have no managers at all. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager = readManager(entry);
    if (manager === undefined) return undefined;
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

/**
 * Most entries pass from one version of an object to the next as they are. What was made of one is remembered for as
 * long as it lives; one that may still be changed is not.
 */
const readEntries = new WeakMap<ManagedFieldsEntry, Manager>();
const writtenManagers = new WeakMap<Manager, ManagedFieldsEntry>();

function readManager(entry: ManagedFieldsEntry): Manager | undefined {
  const known = readEntries.get(entry);
  if (known !== undefined) return known;
  const manager = parseManager(entry);
  if (manager !== undefined && Object.isFrozen(entry)) remember(manager, entry);
  return manager;
}

function remember(manager: Manager, entry: ManagedFieldsEntry): void {
  readEntries.set(entry, manager);
  writtenManagers.set(manager, entry);
}

function parseManager(entry: ManagedFieldsEntry): Manager | undefined {
  const { manager = '', operation, apiVersion = '', fieldsType, fieldsV1 = {}, subresource = '', time } = entry;
  const isOperation = operation === 'Apply' || operation === 'Update';
  if (!isOperation || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
  const fields = readFields(fieldsV1);
  return fields && { name: manager, operation, apiVersion, subresource, fields, timeMs: parseTime(time) };
}

function readFields(fieldsV1: unknown): FieldSet | undefined {
  try {
    return fromFieldsV1(fieldsV1);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The entries as the API shows them; undefined for none. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map(writeManager);
}

function writeManager(manager: Manager): ManagedFieldsEntry {
  const known = writtenManagers.get(manager);
  if (known !== undefined) return known;
  const { name, operation, apiVersion, timeMs, fields, subresource } = manager;
  const entry = deepFreeze<ManagedFieldsEntry>({
    manager: name,
    operation,
    apiVersion,
    ...(timeMs === undefined ? {} : { time: formatTime(timeMs) }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource === '' ? {} : { subresource }),
  });
  remember(manager, entry);
  return entry;
}

/** Applies before updates, then by second, then by name. */
function compareManagers(left: Manager, right: Manager): number {
  return (
    compareTexts(left.operation, right.operation) ||
    secondsOf(left) - secondsOf(right) ||
    compareTexts(left.name, right.name) ||
    compareTexts(left.apiVersion, right.apiVersion) ||
    compareTexts(left.subresource, right.subresource)
  );
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function secondsOf({ timeMs }: Manager): number {
  return Math.floor((timeMs ?? 0) / 1000);
}

/** True for `[]` and `[{}]`, by which a writer asks for all managers to be forgotten. */
export function asksForReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined || entries.length > 1) return false;
  const [only] = entries;
  return only === undefined || (isObject(only) && Object.keys(only).length === 0);
}

/** Puts the oldest updates together when there are too many. */
export function capUpdates(managers: Managers): Managers {
  const updates = [...managers].filter(([, { operation }]) => operation === 'Update');
  let excess = updates.length - MAX_UPDATE_MANAGERS;
  if (excess <= 0) return managers;
  const oldestFirst = updates.sort(([a, left], [b, right]) => secondsOf(left) - secondsOf(right) || compareTexts(a, b));
  const capped = new Map(managers);
  const firsts = new Map<string, string>();
  for (const [identity, manager] of oldestFirst) {
    if (excess <= 0) break;
    const first = firsts.get(manager.apiVersion);
    if (first === undefined) {
      firsts.set(manager.apiVersion, identity);
      continue;
    }
    moveToOldUpdates(capped, first, identity);
    excess -= 1;
  }
  return capped;
}

function moveToOldUpdates(managers: Map<string, Manager>, first: string, identity: string): void {
  const manager = managers.get(identity);
  if (manager === undefined) return;
  const bucket: Manager = { ...manager, name: OLD_UPDATES, subresource: '', fields: EMPTY_SET };
  const bucketIdentity = identityOf(bucket);
  const former = managers.get(bucketIdentity) ?? managers.get(first);
  managers.delete(first);
  managers.delete(identity);
  managers.set(bucketIdentity, { ...bucket, fields: union(former?.fields ?? EMPTY_SET, manager.fields) });
}
