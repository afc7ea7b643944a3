/** Whatever is said of a value inside a logical junctor, the value must have its place in the schema outside it. */
import { child, entry, type FieldError, index, requiredField } from '#kube/field-error.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';

/** Where something is said, and where it should have its shape. */
interface Places {
  readonly said: string;
  readonly shape: string;
}

export function completenessErrors(schema: JsonSchema, path: string): FieldError[] {
  return junctors(schema, schema, { said: path, shape: path });
}

function junctors(saying: JsonSchema, shape: JsonSchema, places: Places): FieldError[] {
  const each = (name: 'allOf' | 'anyOf' | 'oneOf') =>
    saying[name].flatMap((one, position) =>
      nested(one, shape, { ...places, said: index(child(places.said, name), position) }),
    );
  const ofNot = saying.not ? nested(saying.not, shape, { ...places, said: child(places.said, 'not') }) : [];
  return [...ofNot, ...each('allOf'), ...each('anyOf'), ...each('oneOf')];
}

function nested(saying: JsonSchema, shape: JsonSchema | undefined, places: Places): FieldError[] {
  if (shape === undefined) return [requiredField(places.shape, `because it is defined in ${places.said}`)];
  const at = (step: (path: string) => string): Places => ({ said: step(places.said), shape: step(places.shape) });
  const { items } = saying;
  return [
    ...junctors(saying, shape, places),
    ...(items
      ? nested(
          items,
          shape.items,
          at((path) => child(path, 'items')),
        )
      : []),
    ...[...saying.properties].flatMap(([name, member]) => {
      const below = at((path) => entry(child(path, 'properties'), name));
      return nested(member, shape.properties.get(name), below);
    }),
  ];
}
