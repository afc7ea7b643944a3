/**
 * Server-side apply of one manager's configuration onto the live object.
 *
 * The answer is the merged object before defaulting and validation, with its new managedFields. Conflicts are thrown
 * as the 409 that the client gets, a configuration that does not fit the schema as the 400 or 500 that Kubernetes
 * gives.
 */
import { clone, deepEqual } from '#base/json.ts';
import { applyConflict } from '#kube/apply/conflicts.ts';
import { EMPTY_SET, type FieldSet, isEmptySet, withoutSubtrees } from '#kube/apply/field-set.ts';
import { fieldPathsOf } from '#kube/apply/field-paths.ts';
import { refreshLastApplied, remainingConflicts } from '#kube/apply/last-applied.ts';
import { identityOf, type Manager, type Managers, readManagers, writeManagers } from '#kube/apply/managers.ts';
import { mergeValues } from '#kube/apply/merge.ts';
import { disown, reconcileManagers, withoutUnowned } from '#kube/apply/ownership.ts';
import { pruneAbandoned } from '#kube/apply/prune-owned.ts';
import { newObject, trackChange, withoutManagers } from '#kube/apply/track-update.ts';
import { UnnamedElementError } from '#kube/apply/typed-value.ts';
import { typeErrors } from '#kube/apply/validate.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest, plainError } from '#kube/status.ts';

/** Owns what was in an object before anyone applied to it or its managers were known. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

export interface Apply {
  readonly kind: Pick<Kind, 'group' | 'version' | 'kind' | 'schema' | 'isCustom'>;
  /** The stored object; undefined when the apply creates it. */
  readonly live: KubeObject | undefined;
  readonly applied: KubeObject;
  readonly manager: string;
  /** Takes fields over from other managers instead of failing. */
  readonly force: boolean;
  readonly subresource?: string;
  readonly nowMs: number;
  readonly resetFields?: FieldSet;
}

export function applyPatch(apply: Apply): KubeObject {
  const { kind, applied } = apply;
  checkApplied(kind, applied);
  const live = apply.live ?? (newObject(kind) as unknown as KubeObject);
  try {
    return merged(apply, live);
  } catch (error) {
    if (!(error instanceof UnnamedElementError)) throw error;
    throw plainError(`failed to create typed live object (${describe(live)}): ${error.message}`);
  }
}

function merged(apply: Apply, live: KubeObject): KubeObject {
  const { kind, applied, manager, nowMs } = apply;
  const author = authorOf(apply);
  const identity = identityOf(author);
  const managers = new Map(reconcileManagers(managersOf(apply, live), kind.schema, author.apiVersion));
  const last = managers.get(identity);
  managers.set(identity, { ...author, timeMs: last?.timeMs });
  const liveValue = withoutManagers(live);
  const whole = mergeValues(kind.schema, liveValue, applied);
  const lastFields = last?.fields ?? EMPTY_SET;
  const after = pruneAbandoned(kind.schema, whole, { managers, lastFields });
  const owners = ownersAfter(apply, { before: liveValue, after, live }, { managers, identity });
  const own = owners.get(identity);
  const isChanged = !deepEqual(liveValue, after);
  if (own && isChanged) owners.set(identity, { ...own, timeMs: nowMs });
  const result = clone(after) as KubeObject;
  refreshLastApplied(result, applied, manager);
  return withManagers(result, owners);
}

function checkApplied(kind: Apply['kind'], applied: KubeObject): void {
  const given = `${groupVersion(applied.apiVersion)}, Kind=${applied.kind ?? ''}`;
  if (given !== `${groupVersion(apiVersionOf(kind))}, Kind=${kind.kind}`) {
    throw badRequest(`invalid object type: ${given}`);
  }
  const { metadata } = applied;
  if (metadata?.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  const problems = typeErrors(kind.schema, applied);
  if (problems === undefined) return;
  throw plainError(`failed to create typed patch object (${describe(applied)}): ${problems}`);
}

function describe({ apiVersion, kind, metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}; ${groupVersion(apiVersion)}, Kind=${kind}`;
}

/** `group/version`, in which the core group leaves the part before the slash empty. */
function groupVersion(apiVersion: string | undefined): string {
  return apiVersion?.includes('/') ? apiVersion : `/${apiVersion ?? ''}`;
}

function authorOf({ kind, applied, manager, subresource = '', resetFields = EMPTY_SET }: Apply): Manager {
  const fields = withoutSubtrees(fieldPathsOf(kind.schema, applied), resetFields);
  const apiVersion = apiVersionOf(kind);
  return { name: manager, operation: 'Apply', apiVersion, subresource, fields, timeMs: undefined };
}

/** The managers of the live object; one is made up for an object that never had any. */
function managersOf(apply: Apply, live: KubeObject): Managers {
  const managers = readManagers(live.metadata.managedFields);
  if (managers === undefined) throw plainError('failed to decode managed fields');
  if (managers.size > 0 || apply.live === undefined) return managers;
  return trackChange({ ...apply, before: undefined, after: live, manager: BEFORE_FIRST_APPLY }, managers);
}

interface Merge {
  readonly before: unknown;
  readonly after: unknown;
  readonly live: KubeObject;
}

/** Who owns what once the apply is done; throws the conflicts that it meets. */
function ownersAfter(
  { kind, manager, force, resetFields = EMPTY_SET }: Apply,
  { before, after, live }: Merge,
  { managers, identity }: { managers: Managers; identity: string },
): Map<string, Manager> {
  const change = { schema: kind.schema, before, after, resetFields };
  const { managers: owners, conflicts } = disown(change, managers, identity);
  const remaining = force ? [] : remainingConflicts(kind, live, { manager, conflicts });
  if (remaining.length > 0) throw applyConflict(remaining);
  const own = owners.get(identity);
  const fields = withoutUnowned(own?.fields ?? EMPTY_SET);
  if (own === undefined || isEmptySet(fields)) owners.delete(identity);
  else owners.set(identity, { ...own, fields });
  return owners;
}

function withManagers(object: KubeObject, managers: Managers): KubeObject {
  const managedFields = writeManagers(managers);
  return { ...object, metadata: { ...object.metadata, ...(managedFields ? { managedFields } : {}) } };
}
