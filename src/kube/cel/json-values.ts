/** JSON without a schema as values of CEL: whole numbers are ints, the others doubles. Converted as it is read. */
import { getMember } from '#base/json.ts';
import type { CelList, CelMap, Value } from '#kube/cel/values.ts';

export function jsonValue(json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (typeof json === 'number') return isInt(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return new JsonList(json);
  if (typeof json === 'object') return new JsonMap(json as Readonly<Record<string, unknown>>);
  return typeof json === 'string' || typeof json === 'boolean' ? json : null;
}

/** What does not fit in 64 bits is a floating point number. */
function isInt(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

class JsonList implements CelList {
  readonly kind = 'list';
  readonly #elements: readonly unknown[];

  constructor(elements: readonly unknown[]) {
    this.#elements = elements;
  }

  get size(): number {
    return this.#elements.length;
  }

  at(position: number): Value {
    return jsonValue(this.#elements[position]);
  }
}

class JsonMap implements CelMap {
  readonly kind = 'map';
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  get size(): number {
    return Object.keys(this.#members).length;
  }

  get(key: Value): Value | undefined {
    const member = typeof key === 'string' ? getMember(this.#members, key) : undefined;
    return member === undefined ? undefined : jsonValue(member);
  }

  keys(): readonly Value[] {
    return Object.keys(this.#members);
  }
}
