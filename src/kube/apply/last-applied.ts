/**
 * The way over from `kubectl apply` of old, which keeps what it applied in an annotation, to server-side apply by the
 * same kubectl: fields that are as they were last applied are no conflict, and the annotation is kept up to date for
 * an old kubectl that comes later.
 */
import { clone, isObject } from '#base/json.ts';
import { compareValues } from '#kube/apply/compare.ts';
import { difference, EMPTY_SET, type FieldSet, isEmptySet } from '#kube/apply/field-set.ts';
import { fieldPathsOf } from '#kube/apply/field-paths.ts';
import type { Conflict } from '#kube/apply/ownership.ts';
import { withoutManagers } from '#kube/apply/track-update.ts';
import { typeErrors } from '#kube/apply/validate.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manager name under which kubectl applies. */
const KUBECTL = 'kubectl';

/** Most bytes that the keys and values of an object's annotations may have together. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** The conflicts that remain when kubectl may change what it applied last, and nobody has changed since. */
export function remainingConflicts(
  kind: Pick<Kind, 'group' | 'version' | 'schema'>,
  live: KubeObject,
  { manager, conflicts }: { manager: string; conflicts: readonly Conflict[] },
): readonly Conflict[] {
  if (manager !== KUBECTL || conflicts.length === 0) return conflicts;
  const allowed = unchangedSinceLastApplied(kind, live);
  return conflicts
    .map((conflict) => ({ ...conflict, fields: difference(conflict.fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

function unchangedSinceLastApplied(kind: Pick<Kind, 'group' | 'version' | 'schema'>, live: KubeObject): FieldSet {
  const applied = readLastApplied(live.metadata.annotations?.[LAST_APPLIED]);
  const isUsable = applied?.['apiVersion'] === apiVersionOf(kind) && typeErrors(kind.schema, applied) === undefined;
  if (!isUsable) return EMPTY_SET;
  const { added, modified, removed } = compareValues(kind.schema, applied, withoutManagers(live));
  return [modified, added, removed].reduce(difference, fieldPathsOf(kind.schema, applied));
}

function readLastApplied(text: string | undefined): Record<string, unknown> | undefined {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the annotation anew, where there is one, after kubectl has applied. */
export function refreshLastApplied(result: KubeObject, applied: KubeObject, manager: string): void {
  const { annotations } = result.metadata;
  if (manager !== KUBECTL || !annotations?.[LAST_APPLIED]) return;
  const kept = clone(applied);
  if (kept.metadata.annotations) delete kept.metadata.annotations[LAST_APPLIED];
  annotations[LAST_APPLIED] = `${JSON.stringify(sorted(kept))}\n`;
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  if (bytes > MAX_ANNOTATION_BYTES) delete annotations[LAST_APPLIED];
}

/** Members in the order of their names, as Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  );
}
