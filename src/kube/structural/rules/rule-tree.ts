/** The parts of a schema that have rules, or have parts that do. Rules are compiled when they first run. */
import { declare } from '#kube/structural/rules/declare.ts';
import { type CompiledRule, compileRules } from '#kube/structural/rules/compile-rules.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

export interface RuleNode {
  readonly schema: JsonSchema;
  /** As rules see it: a whole resource has a type and names. */
  readonly shown: JsonSchema;
  readonly items: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  /** Of this part alone. */
  rules(): readonly CompiledRule[];
}

/** Undefined when there is no rule. `isResource` is true for the schema of a whole resource. */
export function ruleTree(schema: JsonSchema, options: { readonly isResource: boolean }): RuleNode | undefined {
  const part = (one: JsonSchema | undefined) => one && ruleTree(one, { isResource: one.embeddedResource });
  const items = part(schema.items);
  const additional = part(additionalSchema(schema));
  const properties = new Map(
    [...schema.properties].flatMap(([name, member]) => {
      const node = part(member);
      return node ? [[name, node] as const] : [];
    }),
  );
  const isEmpty = schema.rules.length === 0 && properties.size === 0 && !items && !additional;
  if (isEmpty) return undefined;
  let compiled: readonly CompiledRule[] | undefined;
  const compile = () => {
    const self = schema.rules.length === 0 ? undefined : declare(schema, 'self', options);
    return self ? compileRules(schema, self) : [];
  };
  const shown = options.isResource ? { ...schema, embeddedResource: true } : schema;
  return { schema, shown, items, additional, properties, rules: () => (compiled ??= compile()) };
}
