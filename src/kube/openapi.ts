/**
 * The schema of kinds as OpenAPI v3, with the `x-kubernetes-*` extensions by which clients merge and explain.
 *
 * Built-in kinds become components that refer to each other by name; custom kinds are written in place, but for
 * their metadata. Words are those of the schema.
 */
import { isObject } from '#base/json.ts';
import { componentName, type Kind } from '#kube/kind.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import { type Schema, string } from '#kube/schema.ts';

export type OpenApiSchema = { [member: string]: unknown };
export type OpenApiComponents = Record<string, OpenApiSchema>;

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const PREFIX = '#/components/schemas/';

interface Special {
  readonly name: string;
  readonly schema: OpenApiSchema;
}

/** Formats of ours that are components in Kubernetes, when they occur in a built-in kind. */
const SPECIAL: Readonly<Record<string, Special>> = {
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: {
      description: 'An amount of a resource, such as 100m or 64Mi.',
      oneOf: [{ type: 'string' }, { type: 'number' }],
    },
  },
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: {
      description: 'A number, or a text such as a name or a percentage.',
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    },
  },
  'date-time': {
    name: `${META}.Time`,
    schema: { description: 'A time in RFC 3339, in whole seconds.', type: 'string', format: 'date-time' },
  },
  'micro-time': {
    name: `${META}.MicroTime`,
    schema: { description: 'A time in RFC 3339, in microseconds.', type: 'string', format: 'date-time' },
  },
};

/** The components that the kinds need, by name. */
export function openApiComponents(kinds: readonly Kind[]): OpenApiComponents {
  const writer = new Writer();
  for (const kind of kinds) {
    const name = componentName(kind);
    const { group, version } = kind;
    writer.add(name, writer.kind(kind));
    writer.annotate(name, { 'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }] });
  }
  return writer.components;
}

/** A schema with everything in its place, as CustomResourceDefinitions have it. */
export function openApiInPlace(schema: Schema): OpenApiSchema {
  return new Writer().inline(schema);
}

class Writer {
  readonly components: OpenApiComponents = {};

  add(name: string, schema: OpenApiSchema): void {
    this.components[name] = schema;
  }

  kind({ definition, isCustom, schema }: Kind): OpenApiSchema {
    if (definition) return this.#defined(definition.openAPIV3Schema);
    return isCustom ? this.inline(schema) : this.component(schema);
  }

  /** A schema as it was given, with the members that every object has. */
  #defined(given: OpenApiSchema): OpenApiSchema {
    const own = Object.fromEntries(
      Object.entries(typeAndMetadata).map(([name, member]) => [name, this.inline(member)]),
    ) as OpenApiSchema;
    const { properties, ...rest } = publishedSchema(given);
    return { ...rest, properties: { ...(properties as OpenApiSchema | undefined), ...own } };
  }

  annotate(name: string, extensions: OpenApiSchema): void {
    Object.assign(this.components[name] ?? {}, extensions);
  }

  /** An object that others refer to by name. */
  component(schema: Schema): OpenApiSchema {
    const description = schema.typeDoc ?? schema.doc;
    const properties = Object.entries(schema.properties ?? {});
    return {
      ...(description === '' ? {} : { description }),
      type: 'object',
      ...(properties.length === 0
        ? {}
        : { properties: Object.fromEntries(properties.map(([name, member]) => [name, this.#field(member)])) }),
      ...requiredOf(schema),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  /** A member of a component. */
  #field(schema: Schema): OpenApiSchema {
    return {
      ...describe(schema),
      ...this.#type(schema, schema.doc !== ''),
      ...defaultOf(schema),
      ...mergeRules(schema),
    };
  }

  /** An element or a value, which has no words of its own. */
  #element(schema: Schema): OpenApiSchema {
    const type = this.#type(schema, schema.name !== undefined);
    if (schema.name !== undefined) return { ...type, default: {} };
    return {
      ...type,
      ...elementDefault(schema),
      ...mergeRules(schema),
    };
  }

  /** Beside other members a reference has to be wrapped. */
  #type(schema: Schema, isWrapped: boolean): OpenApiSchema {
    const name = this.#referenceOf(schema);
    if (name !== undefined) return isWrapped ? { allOf: [{ $ref: PREFIX + name }] } : { $ref: PREFIX + name };
    switch (schema.type) {
      case 'list':
        return { type: 'array', items: schema.items ? this.#element(schema.items) : {} };
      case 'map':
        return { type: 'object', additionalProperties: schema.items ? this.#element(schema.items) : {} };
      case 'any':
        return { type: 'object' };
      case 'object':
        return this.component({ ...schema, doc: '' });
      default:
        return scalar(schema);
    }
  }

  /** The component that a schema is, which is written if it is not there yet. */
  #referenceOf(schema: Schema): string | undefined {
    const special = specialOf(schema);
    const name = special?.name ?? schema.name;
    if (name === undefined || name in this.components) return name;
    this.components[name] = {};
    this.components[name] = special?.schema ?? this.component(schema);
    return name;
  }

  /** Everything in place; only metadata is referred to. */
  inline(schema: Schema): OpenApiSchema {
    if (schema.name === `${META}.ObjectMeta`) return { ...describe(schema), ...this.#type(schema, true) };
    return { ...describe(schema), ...this.#inlineType(schema), ...inlineRules(schema) };
  }

  #inlineType(schema: Schema): OpenApiSchema {
    switch (schema.type) {
      case 'list':
        return { type: 'array', items: schema.items ? this.inline(schema.items) : {} };
      case 'map':
        return { type: 'object', additionalProperties: schema.items ? this.inline(schema.items) : {} };
      case 'object': {
        const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, this.inline(member)]);
        return {
          type: 'object',
          ...(members.length === 0 ? {} : { properties: Object.fromEntries(members) as OpenApiSchema }),
          ...requiredOf(schema),
        };
      }
      case 'int-or-string':
        return { 'x-kubernetes-int-or-string': true };
      case 'any':
        return { 'x-kubernetes-preserve-unknown-fields': true };
      default:
        return inlineScalar(schema);
    }
  }
}

const typeAndMetadata: Readonly<Record<string, Schema>> = {
  apiVersion: string('Version of the schema that the object is written in.'),
  kind: string('Which kind of object this is.'),
  metadata: metadataSchema,
};

/** What a definition says of a field, where clients of OpenAPI want it said otherwise. */
function publishedSchema(given: OpenApiSchema): OpenApiSchema {
  const { properties, items, additionalProperties, ...rest } = given;
  const either = rest['x-kubernetes-int-or-string'] === true && rest['anyOf'] === undefined;
  return {
    ...rest,
    ...(either ? { anyOf: [{ type: 'integer' }, { type: 'string' }] } : {}),
    ...(isObject(properties) ? { properties: publishedMembers(properties) } : {}),
    ...(isObject(items) ? { items: publishedSchema(items) } : {}),
    ...(isObject(additionalProperties)
      ? { additionalProperties: publishedSchema(additionalProperties) }
      : additionalProperties === undefined
        ? {}
        : { additionalProperties }),
  };
}

function publishedMembers(members: OpenApiSchema): OpenApiSchema {
  const published = Object.entries(members).map(([name, one]) => [name, isObject(one) ? publishedSchema(one) : one]);
  return Object.fromEntries(published) as OpenApiSchema;
}

function describe({ doc }: Schema): OpenApiSchema {
  return doc === '' ? {} : { description: doc };
}

function requiredOf({ required = [] }: Schema): OpenApiSchema {
  return required.length === 0 ? {} : { required: [...required] };
}

function specialOf(schema: Schema): Special | undefined {
  return SPECIAL[schema.type === 'int-or-string' ? schema.type : (schema.format ?? '')];
}

function scalar({ type, format, enum: values }: Schema): OpenApiSchema {
  return { type, ...(format ? { format } : {}), ...(values ? { enum: [...values].sort() } : {}) };
}

function inlineScalar(schema: Schema): OpenApiSchema {
  if (schema.format === 'quantity') {
    return { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
  }
  if (schema.format === 'micro-time') return { type: 'string', format: 'date-time' };
  return { type: schema.type, ...(schema.format ? { format: schema.format } : {}) };
}

/** What a decoded object has where nothing was said, for members that are always there. */
function defaultOf(schema: Schema): OpenApiSchema {
  if (schema.default !== undefined) return { default: schema.default };
  const isStruct = schema.name !== undefined || specialOf(schema) !== undefined;
  const isAlwaysThere = schema.isRequired === true || schema.zero === 'write';
  if (schema.zero === 'null' || !isAlwaysThere) return {};
  if (isStruct) return schema.type === 'object' ? { default: {} } : {};
  if (schema.type === 'list' || schema.type === 'map' || schema.type === 'any') return {};
  if (schema.type === 'boolean') return { default: false };
  return { default: schema.type === 'string' ? '' : 0 };
}

function elementDefault(schema: Schema): OpenApiSchema {
  if (specialOf(schema) || schema.format === 'byte') return {};
  return defaultOf({ ...schema, isRequired: true });
}

function mergeRules(schema: Schema): OpenApiSchema {
  return {
    ...(schema.listType ? { 'x-kubernetes-list-type': schema.listType } : {}),
    ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
    ...(schema.patchMergeKey ? { 'x-kubernetes-patch-merge-key': schema.patchMergeKey } : {}),
    ...(schema.patchStrategy ? { 'x-kubernetes-patch-strategy': schema.patchStrategy } : {}),
    ...(schema.type === 'map' && schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
}

function isTime({ format }: Schema): boolean {
  return format === 'date-time' || format === 'micro-time';
}

function inlineRules(schema: Schema): OpenApiSchema {
  const isMerged = schema.listType === 'map' || schema.listType === 'set';
  return {
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema.nullable && !isTime(schema) ? { nullable: true } : {}),
    ...(isMerged ? { 'x-kubernetes-list-type': schema.listType } : {}),
    ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
    ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(schema.preserveUnknown && schema.type === 'object' ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  };
}
