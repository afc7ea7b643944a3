/** Defaults of a schema must themselves be what the schema lets in, with nothing that would be pruned. */
import { clone, deepEqual, isObject } from '#base/json.ts';
import { child, entry, type FieldError, invalidField } from '#kube/field-error.ts';
import { goSyntax } from '#kube/go-text.ts';
import { embeddedErrors } from '#kube/structural/embedded.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';
import { pruneValue } from '#kube/structural/prune.ts';
import { ruleErrors } from '#kube/structural/rules/evaluate.ts';
import { ruleTree } from '#kube/structural/rules/rule-tree.ts';
import { locate } from '#kube/structural/validate-resource.ts';
import { schemaFindings } from '#kube/structural/validate-schema.ts';

export function defaultErrors(schema: JsonSchema, path: string): FieldError[] {
  return visit(schema, path, { isInMeta: false });
}

interface Context {
  /** Inside metadata of a resource, whose form is known without the schema. */
  readonly isInMeta: boolean;
}

function visit(schema: JsonSchema, path: string, { isInMeta }: Context): FieldError[] {
  const inMeta = isInMeta && !schema.embeddedResource;
  const own = schema.default === undefined ? [] : ownErrors(schema, child(path, 'default'), inMeta ? 'meta' : 'value');
  const { items } = schema;
  return [
    ...own,
    ...(items ? visit(items, child(path, 'items'), { isInMeta: inMeta }) : []),
    ...[...schema.properties].flatMap(([name, member]) => {
      const isMeta = schema.embeddedResource && (name === 'metadata' || name === 'apiVersion' || name === 'kind');
      return visit(member, entry(child(path, 'properties'), name), { isInMeta: inMeta || isMeta });
    }),
  ];
}

function ownErrors(schema: JsonSchema, field: string, place: 'meta' | 'value'): FieldError[] {
  const ofPruning = place === 'meta' ? [] : prunedErrors(schema, field);
  const ofEmbedded = place === 'meta' ? [] : embeddedErrors(schema, schema.default, field);
  if (ofEmbedded.length > 0) return [...ofPruning, ...ofEmbedded];
  const ofSchema = locate(schemaFindings(schema, schema.default), field);
  return [...ofPruning, ...ofSchema, ...(ofSchema.length > 0 ? [] : ofRules(schema, field))];
}

/** Rules are asked about the default as it stands, and about putting it where nothing was. */
function ofRules(schema: JsonSchema, path: string): FieldError[] {
  const rules = ruleTree(schema, { isResource: schema.embeddedResource });
  const value = schema.default;
  if (rules === undefined) return [];
  const ofUnchanged = ruleErrors(rules, { value, old: value, path });
  return ofUnchanged.length > 0 ? ofUnchanged : ruleErrors(rules, { value, old: undefined, path });
}

function prunedErrors(schema: JsonSchema, field: string): FieldError[] {
  const value = schema.default;
  const pruned = clone(value);
  pruneValue(schema, pruned);
  if (deepEqual(pruned, value)) return [];
  const shown = isObject(value) || Array.isArray(value) ? goSyntax(value) : JSON.stringify(value);
  return [{ ...invalidField(field, '', ''), message: `Invalid value: ${shown}: must not have unknown fields` }];
}
