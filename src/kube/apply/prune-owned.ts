/** Takes out of a merged object what its applier applied before, does not apply any more, and nobody else owns. */
import { difference, type FieldSet, intersection, isEmptySet, union } from '#kube/apply/field-set.ts';
import { fieldPathsOf } from '#kube/apply/field-paths.ts';
import { fieldsOwnedBy, withNamedParents } from '#kube/apply/ownership.ts';
import type { Managers } from '#kube/apply/managers.ts';
import { removeFields } from '#kube/apply/remove.ts';
import type { Schema } from '#kube/schema.ts';

/**
 * `managers` has the applier's new set already, `lastFields` is its former one.
 *
 * First everything that the applier owned goes, with all that is below it; then what someone owns comes back, and
 * what went only because it was below something. What remains away is exactly what the applier owned alone.
 */
export function pruneAbandoned(
  schema: Schema,
  merged: unknown,
  { managers, lastFields }: { managers: Managers; lastFields: FieldSet },
): unknown {
  if (isEmptySet(lastFields)) return merged;
  const named = (fields: FieldSet) => withNamedParents(fields, schema);
  const pathsIn = (value: unknown) => named(fieldPathsOf(schema, value));
  const all = pathsIn(merged);
  const bare = removeFields(schema, merged, named(lastFields));
  const wanted = union(pathsIn(bare), named(fieldsOwnedBy(managers)));
  const owned = removeFields(schema, merged, difference(all, wanted));
  const dangling = intersection(difference(all, pathsIn(owned)), named(lastFields));
  return removeFields(schema, merged, dangling);
}
