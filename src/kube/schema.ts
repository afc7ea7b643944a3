/**
 * The language in which kinds are described, once: type, documentation, whether a field is required, how lists
 * merge. Types are inferred from it (`Infer`), and the API server reads it to prune and reject unknown fields, to
 * merge patches, to own fields in server-side apply and to publish OpenAPI.
 *
 *     const Port = object({ name: required(string('Name of the port.')), port: int32('Number.') });
 *     type Port = Infer<typeof Port>; // { name: string; port?: number | undefined }
 *
 * It follows OpenAPI v3 as Kubernetes uses it (`x-kubernetes-*` extensions in the comments below). Validation that
 * needs more than the shape is code beside each kind.
 */

export type SchemaType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'object'
  | 'map'
  | 'list'
  | 'int-or-string'
  | 'any';

/** x-kubernetes-list-type: who owns what in a list, and how two writers' lists merge. */
export type ListType = 'atomic' | 'set' | 'map';

/**
 * Kubernetes keeps its built-in kinds in Go structs, and clients see what that does to zero values: a plain member
 * that is not required goes when it is zero or empty (the default here), a pointer stays as it is (`keep`), and a
 * struct by value is always written (`write`), as are required members. A few pointers are written as null when they
 * are absent (`null`). Custom kinds keep what they were given.
 */
export type Zero = 'keep' | 'write' | 'null';

export interface Schema<out T = unknown> {
  readonly type: SchemaType;
  /** One or two sentences of ours; what `kubectl explain` prints. */
  readonly doc: string;
  readonly format?: string | undefined;
  /** Members of an object. */
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  /** Names of the members that must be there. */
  readonly required?: readonly string[] | undefined;
  /** Element of a list, or value of a map. */
  readonly items?: Schema | undefined;
  readonly listType?: ListType | undefined;
  /** x-kubernetes-list-map-keys */
  readonly listMapKeys?: readonly string[] | undefined;
  /** x-kubernetes-patch-merge-key: the key of a strategic merge, where lists merge. */
  readonly patchMergeKey?: string | undefined;
  /** x-kubernetes-patch-strategy: "merge", "replace", "retainKeys" or "merge,retainKeys". */
  readonly patchStrategy?: string | undefined;
  /** x-kubernetes-map-type: an atomic object is replaced whole by server-side apply. */
  readonly atomic?: boolean | undefined;
  /** x-kubernetes-preserve-unknown-fields: members that are not listed are kept. */
  readonly preserveUnknown?: boolean | undefined;
  readonly enum?: readonly string[] | undefined;
  /** What the API server fills in when the field is absent or, where null is no value of its own, null. */
  readonly default?: string | number | boolean | undefined;
  /** Set on a field by `required`. */
  readonly isRequired?: boolean | undefined;
  /** A field that accepts null as a value of its own. */
  readonly nullable?: boolean | undefined;
  /** What built-in kinds make of an absent or zero value; see `Zero`. */
  readonly zero?: Zero | undefined;
  /** The words of the component itself, where a field has its own in `doc`. */
  readonly typeDoc?: string | undefined;
  /** Full name of the OpenAPI component, such as `io.k8s.api.core.v1.PodSpec`; nameless schemas are written in place. */
  readonly name?: string | undefined;
  /** Carries the inferred type; never present at run time. */
  readonly _type?: T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

type Properties = Readonly<Record<string, Schema>>;
type RequiredField = { readonly isRequired: true };
type PresentField = { readonly isPresent: true };
type InType = RequiredField | PresentField;
type Simplify<T> = { [K in keyof T]: T[K] };
export type InferObject<P extends Properties> = Simplify<
  { -readonly [K in keyof P as P[K] extends InType ? K : never]: Infer<P[K]> } & {
    -readonly [K in keyof P as P[K] extends InType ? never : K]?: Infer<P[K]> | undefined;
  }
>;

/** Marks a field of an object as required; in the inferred type it is not optional. */
export function required<T>(schema: Schema<T>): Schema<T> & RequiredField {
  return { ...schema, isRequired: true };
}

/** A member that is told apart from its zero value: `replicas: 0` is not the same as none. */
export function pointer<T>(schema: Schema<T>): Schema<T> {
  return { ...schema, zero: 'keep' };
}

/** The same, and written as null when it is absent. */
export function nullPointer<T>(schema: Schema<T>): Schema<T> {
  return { ...schema, zero: 'null' };
}

/** A member that the API always writes out, as `{}`, null, `0` or what else its zero value is. */
export function embedded<T>(schema: Schema<T>): Schema<T> {
  return { ...schema, zero: 'write' };
}

/** The same, and never optional in the inferred type: the `spec` of most kinds. */
export function always<T>(schema: Schema<T>): Schema<T> & PresentField {
  return { ...schema, zero: 'write', isPresent: true };
}

/** The same schema with words of its own for one field. */
export function documented<T>(schema: Schema<T>, doc: string): Schema<T> {
  return { ...schema, doc, typeDoc: schema.typeDoc ?? schema.doc };
}

export function string(doc = ''): Schema<string> {
  return { type: 'string', doc };
}

/** A string whose set of values is known but, as in Kubernetes, not enforced by the schema. */
export function oneOf<const V extends string>(values: readonly V[], doc = ''): Schema<V> {
  return { type: 'string', doc, enum: values };
}

/** An RFC 3339 time in whole seconds; null counts as absent. */
export function time(doc = ''): Schema<string> {
  return { type: 'string', doc, format: 'date-time', nullable: true };
}

/** An RFC 3339 time in microseconds; null counts as absent. */
export function microTime(doc = ''): Schema<string> {
  return { type: 'string', doc, format: 'micro-time', nullable: true };
}

/** Bytes in base64. */
export function bytes(doc = ''): Schema<string> {
  return { type: 'string', doc, format: 'byte' };
}

/** A resource quantity such as `100m` or `64Mi`; numbers are accepted on input. */
export function quantity(doc = ''): Schema<string> {
  return { type: 'string', doc, format: 'quantity' };
}

export function int32(doc = ''): Schema<number> {
  return { type: 'integer', doc, format: 'int32' };
}

export function int64(doc = ''): Schema<number> {
  return { type: 'integer', doc, format: 'int64' };
}

export function boolean(doc = ''): Schema<boolean> {
  return { type: 'boolean', doc };
}

export function intOrString(doc = ''): Schema<number | string> {
  return { type: 'int-or-string', doc };
}

/** Anything at all, kept as it is. */
export function any(doc = ''): Schema {
  return { type: 'any', doc, preserveUnknown: true };
}

export interface ObjectOptions {
  readonly doc?: string;
  readonly atomic?: boolean;
  readonly preserveUnknown?: boolean;
  readonly patchStrategy?: string;
  readonly name?: string;
}

export function object<const P extends Properties>(properties: P, options: ObjectOptions = {}): Schema<InferObject<P>> {
  const names = Object.keys(properties).filter((name) => properties[name]?.isRequired === true);
  return { type: 'object', properties, required: names, ...options, doc: options.doc ?? '' };
}

/** An object with free keys: string → value. */
export function map<T>(items: Schema<T>, doc = '', options: { atomic?: boolean } = {}): Schema<Record<string, T>> {
  return { type: 'map', items, doc, ...options };
}

/** A list that is replaced whole. */
export function list<T>(items: Schema<T>, doc = ''): Schema<T[]> {
  return { type: 'list', items, doc, listType: 'atomic' };
}

/** A list of distinct values that merges value by value. */
export function set<T>(items: Schema<T>, doc = ''): Schema<T[]> {
  return { type: 'list', items, doc, listType: 'set', patchStrategy: 'merge' };
}

export interface ListMapOptions {
  /** The members that together name an element. */
  readonly keys: readonly string[];
  /** The member that names an element in a strategic merge, when it is not the only key. */
  readonly mergeKey?: string;
  /** `merge` unless said otherwise; `replace` where a strategic merge replaces the list whole. */
  readonly patchStrategy?: string;
}

/** A list whose elements are named by some of their members and merge element by element. */
export function listMap<T>(items: Schema<T>, options: ListMapOptions, doc = ''): Schema<T[]> {
  const { keys, mergeKey = keys[0], patchStrategy = 'merge' } = options;
  return { type: 'list', items, doc, listType: 'map', listMapKeys: keys, patchMergeKey: mergeKey, patchStrategy };
}

/** The same schema with other words or rules on this field. */
export function refine<T>(schema: Schema<T>, changes: Partial<Omit<Schema, '_type'>>): Schema<T> {
  return { ...schema, ...changes };
}
