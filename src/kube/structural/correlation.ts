/**
 * Values of an object beside the values that were in the same place before: what has not changed is not held against
 * a writer (ratcheting), and CEL's transition rules see the old value. Members correlate by name, elements only where
 * a list is a map of its keys.
 */
import { deepEqual, getMember, isObject } from '#base/json.ts';
import { type JsonSchema, memberSchema } from '#kube/structural/json-schema.ts';

export class Correlation {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly old: unknown;
  readonly #children = new Map<string | number, Correlation | undefined>();
  #oldByKey: ReadonlyMap<string, unknown> | undefined;
  #isUnchanged: boolean | undefined;

  constructor(schema: JsonSchema, value: unknown, old: unknown) {
    this.schema = schema;
    this.value = value;
    this.old = old;
  }

  /**
   * Whether nothing changed. As in Kubernetes, elements of a list with keys may have moved, and an object with members
   * that the schema does not name counts as changed.
   */
  isUnchanged(): boolean {
    this.#isUnchanged ??= this.#compare();
    return this.#isUnchanged;
  }

  #compare(): boolean {
    const { value, old } = this;
    if (Array.isArray(value) && Array.isArray(old)) {
      if (this.schema.listType !== 'map') return deepEqual(value, old);
      return (
        value.length === old.length && value.every((_, position) => this.element(position)?.isUnchanged() === true)
      );
    }
    if (!isObject(value) || !isObject(old)) return deepEqual(value, old);
    const names = Object.keys(value);
    const isAsLarge = names.length === Object.keys(old).length;
    return isAsLarge && names.every((name) => this.member(name)?.isUnchanged() === true);
  }

  /** The member, or undefined when it was not there before. */
  member(name: string): Correlation | undefined {
    if (!this.#children.has(name)) this.#children.set(name, this.#findMember(name));
    return this.#children.get(name);
  }

  #findMember(name: string): Correlation | undefined {
    const { value, old } = this;
    if (!isObject(value) || !isObject(old)) return undefined;
    const schema = memberSchema(this.schema, name);
    const isInBoth = Object.hasOwn(value, name) && Object.hasOwn(old, name);
    return schema && isInBoth ? new Correlation(schema, value[name], old[name]) : undefined;
  }

  /** The element, or undefined when no element had its keys before. */
  element(position: number): Correlation | undefined {
    if (!this.#children.has(position)) this.#children.set(position, this.#findElement(position));
    return this.#children.get(position);
  }

  #findElement(position: number): Correlation | undefined {
    const { items } = this.schema;
    if (!Array.isArray(this.value) || !Array.isArray(this.old) || items === undefined) return undefined;
    const element = this.value[position] as unknown;
    this.#oldByKey ??= elementsByKey(this.schema, this.old);
    const old = this.#oldByKey.get(keyOf(this.schema, element) ?? '');
    return old === undefined ? undefined : new Correlation(items, element, old);
  }
}

/** Elements of a list that is a map of its keys, by key; the first of several. Empty for other lists. */
export function elementsByKey(schema: JsonSchema, list: readonly unknown[]): Map<string, unknown> {
  const byKey = new Map<string, unknown>();
  for (const element of list) {
    const key = keyOf(schema, element);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, element);
  }
  return byKey;
}

/** What names an element in such a list; undefined where nothing does. */
export function keyOf(schema: JsonSchema, element: unknown): string | undefined {
  if (schema.listType !== 'map' || schema.listMapKeys.length === 0 || !isObject(element)) return undefined;
  const values = schema.listMapKeys.map((name) => getMember(element, name));
  const isScalar = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
  return values.every(isScalar) ? JSON.stringify(values) : undefined;
}
