/**
 * Values of CEL at run time. Whole numbers are bigints (int) or `Uint`, other numbers are JavaScript's; lists and maps
 * may be views of JSON that are converted as they are read.
 */
import type { CelType } from '#kube/cel/types.ts';

export interface CelList {
  readonly kind: 'list';
  readonly size: number;
  at(position: number): Value;
  /** Of a list whose elements are a set or have keys: order does not count when it is compared, and `+` merges. */
  readonly merging?: ListMerging | undefined;
}

export interface ListMerging {
  /** Elements with the same identity are the same element; undefined where an element has none. */
  identityOf(element: Value): string | undefined;
}

export interface CelMap {
  readonly kind: 'map';
  readonly size: number;
  /** Undefined when there is no such key. */
  get(key: Value): Value | undefined;
  keys(): readonly Value[];
  /** Members that expressions cannot see, and that count when two objects are compared. */
  readonly unseen?: Readonly<Record<string, unknown>> | undefined;
}

export class Uint {
  readonly kind = 'uint';
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds. */
export class CelDuration {
  readonly kind = 'duration';
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Nanoseconds since 1970, UTC. */
export class CelTimestamp {
  readonly kind = 'timestamp';
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Optional {
  readonly kind = 'optional';
  /** Undefined for none. */
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export class TypeValue {
  readonly kind = 'type';
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a library of Kubernetes: a quantity, an address, a URL. */
export abstract class OpaqueValue {
  readonly kind = 'opaque';
  /** Such as `kubernetes.Quantity`. */
  abstract readonly typeName: string;
  abstract equals(other: OpaqueValue): boolean;
  /** As costs count it. */
  get size(): number {
    return 1;
  }
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | CelDuration
  | CelTimestamp
  | CelList
  | CelMap
  | Optional
  | TypeValue
  | OpaqueValue;

/** A list that others may have been made from by appending: they share what they have in common. */
export class ArrayList implements CelList {
  readonly kind = 'list';
  readonly size: number;
  readonly #elements: Value[];

  constructor(elements: Value[], size: number = elements.length) {
    this.#elements = elements;
    this.size = size;
  }

  at(position: number): Value {
    return this.#elements[position] ?? null;
  }

  get isLongest(): boolean {
    return this.#elements.length === this.size;
  }

  /**
   * This list and another. Copies nothing when this list is the longest of those that share its elements, so that a
   * fold that appends element by element takes linear time.
   */
  concat(other: CelList): CelList {
    const elements = this.isLongest ? this.#elements : this.#elements.slice(0, this.size);
    for (let position = 0; position < other.size; position += 1) elements.push(other.at(position));
    return new ArrayList(elements);
  }
}

/** A map that was written out, or made by a macro. */
export class EntryMap implements CelMap {
  readonly kind = 'map';
  readonly #entries = new Map<string, readonly [key: Value, value: Value]>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyText(key))?.[1];
  }

  keys(): readonly Value[] {
    return [...this.#entries.values()].map(([key]) => key);
  }

  /** Only whoever is making the map may call it. False when the key is there already. */
  insert(key: Value, value: Value): boolean {
    const text = keyText(key);
    if (this.#entries.has(text)) return false;
    this.#entries.set(text, [key, value]);
    return true;
  }
}

/** Keys that are equal have the same text: 1, 1u and 1.0 are one key. */
export function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`;
  if (typeof key === 'object' && key !== null && 'nanos' in key) return `t${key.nanos}`;
  if (key instanceof Uint8Array) return `x${Buffer.from(key).toString('hex')}`;
  return key === null ? 'null' : `b${key === true}`;
}

/** Equal values have the same text, whatever the order of their members. */
export function identityText(value: Value): string {
  if (isList(value)) return `[${[...elementsOf(value)].map(identityText).join(',')}]`;
  if (!isMap(value)) return JSON.stringify(keyText(value));
  const entries = value.keys().map((key) => `${JSON.stringify(keyText(key))}:${identityText(value.get(key) ?? null)}`);
  return `{${entries.sort().join(',')}}`;
}

export function isList(value: Value): value is CelList {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'list';
}

export function isMap(value: Value): value is CelMap {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'map';
}

export function* elementsOf(list: CelList): Generator<Value> {
  for (let position = 0; position < list.size; position += 1) yield list.at(position);
}

/** The name of a value's type, as `type()` and errors give it. */
export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value !== 'object') {
    return { boolean: 'bool', bigint: 'int', number: 'double', string: 'string' }[typeof value as string] ?? 'dyn';
  }
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof OpaqueValue) return value.typeName;
  const names = {
    uint: 'uint',
    duration: 'google.protobuf.Duration',
    timestamp: 'google.protobuf.Timestamp',
    list: 'list',
    map: 'map',
    optional: 'optional_type',
    type: 'type',
  };
  return names[value.kind];
}

/** Whether a value can be an argument of a parameter of this type. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
    case 'error':
      return true;
    case 'null':
      return value === null;
    case 'opaque':
      return type.name === 'optional_type' ? value instanceof Optional : typeNameOf(value) === type.name;
    case 'struct':
      return isMap(value);
    case 'duration':
      return value instanceof CelDuration;
    case 'timestamp':
      return value instanceof CelTimestamp;
    default:
      return typeNameOf(value) === type.kind;
  }
}

/** What Kubernetes' costs count of a value: letters, bytes, elements; 1 for what has no size. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return runeCount(value);
  if (value === null || typeof value !== 'object') return 1;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof OpaqueValue) return value.size;
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value);
  return value.kind === 'list' || value.kind === 'map' ? value.size : 1;
}

export function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
