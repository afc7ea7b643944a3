/** JSON with a schema as values of CEL: numbers, times and bytes by what the schema says, converted as they are read. */
import { getMember, isObject } from '#base/json.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import {
  CelDuration,
  type CelList,
  type CelMap,
  CelTimestamp,
  identityText,
  isMap,
  type ListMerging,
  type Value,
} from '#kube/cel/values.ts';
import { parseTimestamp } from '#kube/cel/library/timestamps.ts';
import { parseDuration } from '#kube/duration.ts';
import { ParseError } from '#kube/parse-error.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';
import { escapeName } from '#kube/structural/rules/escape.ts';

export function schemaValue(schema: JsonSchema, json: unknown): Value {
  if (json === null || json === undefined) {
    if (schema.nullable) return null;
    throw invalid('got null for schema with nullable=false');
  }
  if (schema.intOrString) return intOrString(json);
  switch (schema.type) {
    case 'object':
      if (!isObject(json)) throw invalid('expected a map for the provided schema with type=object');
      return new SchemaMap(schema, json);
    case 'array':
      if (!Array.isArray(json)) throw invalid('expected an array for the provided schema with type=array');
      return new SchemaList(schema, json);
    case 'string':
      if (typeof json !== 'string') throw invalid('expected string');
      return textValue(schema.format, json);
    default:
      return scalarValue(schema.type, json);
  }
}

function invalid(rule: string): CelFailure {
  return new CelFailure(`invalid data, ${rule}`);
}

function intOrString(json: unknown): Value {
  if (typeof json === 'string') return json;
  if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  throw invalid('expected XIntOrString value to be either a string or integer');
}

function scalarValue(type: string, json: unknown): Value {
  if (type === 'number' && typeof json === 'number') return json;
  if (type === 'integer' && typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  if (type === 'boolean' && typeof json === 'boolean') return json;
  throw invalid(`expected ${type}`);
}

function textValue(format: string, text: string): Value {
  if (format === 'byte') return Uint8Array.from(Buffer.from(text, 'base64url'));
  if (format === 'duration') {
    const nanos = parseDuration(text);
    if (nanos instanceof ParseError) throw new CelFailure(`Invalid duration ${text}: ${nanos.message}`);
    return new CelDuration(nanos);
  }
  if (format !== 'date' && format !== 'date-time') return text;
  const nanos = parseTimestamp(format === 'date' ? `${text}T00:00:00Z` : text);
  if (nanos === undefined) throw new CelFailure(`Invalid ${format} formatted string ${text}`);
  return new CelTimestamp(nanos);
}

/** What `metadata` of a resource shows to rules. */
const RESOURCE_NAMES: ReadonlySet<string> = new Set(['name', 'generateName']);

const RESOURCE_MEMBERS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
const names = new WeakMap<JsonSchema['properties'], ReadonlyMap<string, string>>();

/** Names of the members of a schema by how rules write them. */
function namesOf({ properties }: JsonSchema): ReadonlyMap<string, string> {
  const known = names.get(properties);
  if (known) return known;
  const written = [...properties.keys()].flatMap((name) => {
    const escaped = escapeName(name);
    return escaped === undefined ? [] : [[escaped, name] as const];
  });
  const byEscaped = new Map(written);
  names.set(properties, byEscaped);
  return byEscaped;
}

/** An object or a map. Members of an object that are null count as absent. */
class SchemaMap implements CelMap {
  readonly kind = 'map';
  readonly #schema: JsonSchema;
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(schema: JsonSchema, members: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#members = members;
  }

  get #isObject(): boolean {
    return this.#schema.embeddedResource || this.#schema.properties.size > 0;
  }

  get size(): number {
    return Object.keys(this.#members).length;
  }

  get unseen(): Readonly<Record<string, unknown>> | undefined {
    if (!this.#isObject && additionalSchema(this.#schema)) return undefined;
    const isUnseen = ([name]: [string, unknown]) => !this.#isSeen(name);
    return Object.fromEntries(Object.entries(this.#members).filter(isUnseen));
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined;
    const name = this.#isObject ? this.#nameOf(key) : key;
    const member = name === undefined ? undefined : getMember(this.#members, name);
    if (name === undefined || member === undefined || (this.#isObject && member === null)) return undefined;
    return this.#isObject ? this.#propertyValue(name, member) : this.#freeValue(member);
  }

  #propertyValue(name: string, member: unknown): Value | undefined {
    const schema = this.#schema.properties.get(name);
    if (this.#schema.embeddedResource) {
      if (name === 'apiVersion' || name === 'kind') return typeof member === 'string' ? member : undefined;
      if (name === 'metadata') return isObject(member) ? new ResourceNames(member) : undefined;
    }
    return schema && schemaValue(schema, member);
  }

  #freeValue(member: unknown): Value | undefined {
    const schema = additionalSchema(this.#schema);
    return schema && schemaValue(schema, member);
  }

  #nameOf(escaped: string): string | undefined {
    if (this.#schema.embeddedResource && RESOURCE_MEMBERS.has(escaped)) return escaped;
    return namesOf(this.#schema).get(escaped);
  }

  keys(): readonly Value[] {
    const names = Object.keys(this.#members);
    if (!this.#isObject) return additionalSchema(this.#schema) ? names : [];
    return names.flatMap((name) => {
      const escaped = this.#isSeen(name) ? escapeName(name) : undefined;
      return escaped === undefined || this.get(escaped) === undefined ? [] : [escaped];
    });
  }

  #isSeen(name: string): boolean {
    const { properties, embeddedResource } = this.#schema;
    return properties.has(name) || (embeddedResource && RESOURCE_MEMBERS.has(name));
  }
}

/** Name and prefix of a resource; nothing else of its metadata is seen by rules. */
class ResourceNames implements CelMap {
  readonly kind = 'map';
  readonly #metadata: Readonly<Record<string, unknown>>;

  constructor(metadata: Readonly<Record<string, unknown>>) {
    this.#metadata = metadata;
  }

  get size(): number {
    return this.keys().length;
  }

  get(key: Value): Value | undefined {
    const isNamed = typeof key === 'string' && RESOURCE_NAMES.has(key);
    const name = isNamed ? getMember(this.#metadata, key) : undefined;
    return typeof name === 'string' ? name : undefined;
  }

  keys(): readonly Value[] {
    return [...RESOURCE_NAMES].filter((name) => this.get(name) !== undefined);
  }
}

class SchemaList implements CelList {
  readonly kind = 'list';
  readonly #schema: JsonSchema;
  readonly #elements: readonly unknown[];

  constructor(schema: JsonSchema, elements: readonly unknown[]) {
    this.#schema = schema;
    this.#elements = elements;
  }

  get size(): number {
    return this.#elements.length;
  }

  at(position: number): Value {
    const { items } = this.#schema;
    if (items === undefined) throw new CelFailure('invalid array type, expected Items with a non-empty Schema');
    return schemaValue(items, this.#elements[position]);
  }

  /** Sets by their values, maps by their keys. */
  get merging(): ListMerging | undefined {
    const { listType, listMapKeys } = this.#schema;
    if (listType === 'set') return { identityOf: identityText };
    return listType === 'map' ? { identityOf: (element) => keyIdentity(element, listMapKeys) } : undefined;
  }
}

function keyIdentity(element: Value, keys: readonly string[]): string | undefined {
  if (!isMap(element)) return undefined;
  return keys.map((key) => identityText(element.get(escapeName(key) ?? key) ?? null)).join();
}
