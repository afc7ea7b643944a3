/** An object with its members in the order in which Kubernetes writes them: as the schema lists them, maps by key. */
import { getMember, isObject, setMember } from '#base/json.ts';
import type { Schema } from '#kube/schema.ts';

/** A new value; members that the schema does not list come last, by name. */
export function inSchemaOrder(schema: Schema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element: unknown) => inSchemaOrder(schema?.items, element));
  if (!isObject(value)) return value;
  const listed = Object.keys(schema?.properties ?? {}).filter((name) => Object.hasOwn(value, name));
  const others = Object.keys(value)
    .filter((name) => !listed.includes(name))
    .sort();
  const result: Record<string, unknown> = {};
  for (const name of [...listed, ...others]) {
    const type = (getMember(schema?.properties ?? {}, name) as Schema | undefined) ?? mapItems(schema);
    setMember(result, name, inSchemaOrder(type, value[name]));
  }
  return result;
}

function mapItems(schema: Schema | undefined): Schema | undefined {
  return schema?.type === 'map' ? schema.items : undefined;
}
