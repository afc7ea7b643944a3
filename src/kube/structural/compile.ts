/**
 * A version's schema of a CustomResourceDefinition, made ready to serve: what the API server does to every custom
 * resource on its way in (prune, default, validate), and the same schema in our own language for everything else.
 *
 * Compiling throws a `ParseError` for a schema that is too large or too deep; `crd-errors.ts` says so before a
 * CustomResourceDefinition is stored. A compiled schema keeps no state between objects.
 */
import type { FieldError } from '#kube/field-error.ts';
import type { ScaleSubresource } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { ParseError } from '#kube/parse-error.ts';
import type { Schema } from '#kube/schema.ts';
import { fillStructuralDefaults } from '#kube/structural/defaults.ts';
import { type JsonObject, type JsonSchema, readJsonSchema } from '#kube/structural/json-schema.ts';
import { pruneObject } from '#kube/structural/prune.ts';
import { ruleTree } from '#kube/structural/rules/rule-tree.ts';
import { resourceSchema } from '#kube/structural/to-schema.ts';
import { resourceErrors } from '#kube/structural/validate-resource.ts';

export interface ValidateOptions {
  /** Where the scale subresource of this version finds its numbers, which are checked as well. */
  readonly scale?: ScaleSubresource | undefined;
  /** Set when only `status` was written: nothing else is then held against the writer. */
  readonly subresource?: 'status' | undefined;
  /** Told of rules that fail for what did not change, which is no error: the client gets them as warnings. */
  readonly warn?: ((text: string) => void) | undefined;
}

export interface StructuralSchema {
  /** In our own language, with apiVersion, kind and metadata. */
  readonly schema: Schema;
  /** Drops what the schema does not have, in place. Answers with the paths dropped, as in `unknown field "spec.x"`. */
  prune(object: KubeObject): string[];
  /** Fills in what the schema declares, in place. */
  applyDefaults(object: KubeObject): void;
  /**
   * Errors of an object that was pruned and defaulted, in Kubernetes' words and order; of an update, when `old` is
   * there. The type and the standard metadata of the object are the caller's to check.
   */
  validate(object: KubeObject, old: KubeObject | undefined, options?: ValidateOptions): FieldError[];
}

export function compileStructural(openAPIV3Schema: JsonObject): StructuralSchema {
  const schema = readJsonSchema(openAPIV3Schema);
  if (schema instanceof ParseError) throw schema;
  return ofSchema(schema);
}

function ofSchema(schema: JsonSchema): StructuralSchema {
  const checks = { schema, rules: ruleTree(schema, { isResource: true }) };
  return {
    schema: resourceSchema(schema),
    prune: (object) => pruneObject(schema, object as unknown as Record<string, unknown>),
    applyDefaults: (object) => fillStructuralDefaults(schema, object),
    validate: (object, old, options = {}) => resourceErrors(checks, { object, old }, options),
  };
}
