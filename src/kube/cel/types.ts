/**
 * Types of CEL expressions, and when a value of one type may stand where another is expected. Type parameters are
 * solved as expressions are checked; `dyn` fits everywhere and is decided at run time.
 */

export type TypeKind =
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'opaque'
  | 'string'
  | 'struct'
  | 'timestamp'
  | 'type'
  | 'param'
  | 'uint';

export interface CelType {
  readonly kind: TypeKind;
  /** As errors print it. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** Of a struct: types of its members, by the names that expressions use. */
  readonly fields?: ReadonlyMap<string, CelType> | undefined;
}

function simple(kind: TypeKind, name: string = kind): CelType {
  return { kind, name, params: [] };
}

export const BOOL = simple('bool');
export const BYTES = simple('bytes');
export const DOUBLE = simple('double');
export const DURATION = simple('duration');
export const DYN = simple('dyn');
export const ERROR = simple('error', '!error!');
export const INT = simple('int');
export const NULL = simple('null');
export const STRING = simple('string');
export const TIMESTAMP = simple('timestamp');
export const TYPE = simple('type');
export const UINT = simple('uint');

export function listType(item: CelType): CelType {
  return { kind: 'list', name: 'list', params: [item] };
}

export function mapType(key: CelType, value: CelType): CelType {
  return { kind: 'map', name: 'map', params: [key, value] };
}

export function typeOfType(type: CelType): CelType {
  return { kind: 'type', name: 'type', params: [type] };
}

export function optionalType(value: CelType): CelType {
  return { kind: 'opaque', name: 'optional_type', params: [value] };
}

export function opaqueType(name: string, params: readonly CelType[] = []): CelType {
  return { kind: 'opaque', name, params };
}

export function structType(name: string, fields: ReadonlyMap<string, CelType>): CelType {
  return { kind: 'struct', name, params: [], fields };
}

export function typeParam(name: string): CelType {
  return { kind: 'param', name, params: [] };
}

export function isOptional(type: CelType): boolean {
  return type.kind === 'opaque' && type.name === 'optional_type';
}

/** The type within an optional, or the type itself. */
export function unwrapOptional(type: CelType): CelType {
  return isOptional(type) ? (type.params[0] ?? DYN) : type;
}

export function isDynOrError(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}

/** `list(int)`, `map(string, dyn)`. */
export function formatType(type: CelType): string {
  if (type.params.length === 0) return type.name;
  return `${type.name}(${type.params.map(formatType).join(', ')})`;
}

export function sameType(left: CelType, right: CelType): boolean {
  if (left === right) return true;
  // Structs are told apart by what they are, not by their names.
  if (left.kind !== right.kind || left.kind === 'struct' || left.name !== right.name) return false;
  return (
    left.params.length === right.params.length && left.params.every((one, i) => sameType(one, right.params[i] ?? ERROR))
  );
}

/** What type parameters stand for, as far as it is known. */
export class Solution {
  readonly #solved: Map<string, CelType>;
  /** What was learned, in order, with what was known before; an attempt that fails is undone from its end. */
  readonly #learned: { readonly name: string; readonly before: CelType | undefined }[] = [];

  constructor(solved: ReadonlyMap<string, CelType> = new Map()) {
    this.#solved = new Map(solved);
  }

  /** Whether all of the types fit; learns nothing if they do not. */
  tryUnify(left: readonly CelType[], right: readonly CelType[]): boolean {
    const start = this.#learned.length;
    if (this.unifyAll(left, right)) return true;
    for (const { name, before } of this.#learned.splice(start).reverse()) {
      if (before === undefined) this.#solved.delete(name);
      else this.#solved.set(name, before);
    }
    return false;
  }

  #learn(name: string, type: CelType): void {
    this.#learned.push({ name, before: this.#solved.get(name) });
    this.#solved.set(name, type);
  }

  /** The type with its parameters filled in; those that are open become `dyn` when asked. */
  resolve(type: CelType, open: 'keep' | 'dyn' = 'keep'): CelType {
    const known = type.kind === 'param' ? this.#solved.get(type.name) : undefined;
    if (known !== undefined) return this.resolve(known, open);
    if (type.kind === 'param') return open === 'dyn' ? DYN : type;
    if (type.params.length === 0) return type;
    return { ...type, params: type.params.map((one) => this.resolve(one, open)) };
  }

  /** Whether values of the types may stand for each other; learns what parameters must be for that. */
  unify(left: CelType, right: CelType): boolean {
    if (right.kind === 'param') {
      const substituted = this.#substitute(left, right);
      if (substituted !== 'open') return substituted === 'fits';
    }
    if (left.kind === 'param') return this.#substitute(right, left) === 'fits';
    if (isDynOrError(left) || isDynOrError(right)) return true;
    if (left.kind === 'null' || right.kind === 'null') return fitsNull(left.kind === 'null' ? right : left);
    if (left.kind === 'type') return right.kind === 'type';
    if (['opaque', 'list', 'map'].includes(left.kind)) {
      return left.kind === right.kind && left.name === right.name && this.unifyAll(left.params, right.params);
    }
    return sameType(left, right);
  }

  unifyAll(left: readonly CelType[], right: readonly CelType[]): boolean {
    return left.length === right.length && left.every((one, i) => this.unify(one, right[i] ?? ERROR));
  }

  #substitute(type: CelType, param: CelType): 'fits' | 'clashes' | 'open' {
    if (sameType(type, param)) return 'fits';
    const known = this.#solved.get(param.name);
    if (known === undefined) {
      if (this.#mentions(type, param)) return 'open';
      this.#learn(param.name, type);
      return 'fits';
    }
    if (sameType(type, known)) return 'fits';
    if (!this.unify(type, known)) return 'clashes';
    const general = mostGeneral(type, known);
    if (!this.#mentions(general, param)) this.#learn(param.name, general);
    return 'fits';
  }

  #mentions(type: CelType, param: CelType): boolean {
    if (sameType(type, param)) return true;
    const known = type.kind === 'param' ? this.#solved.get(type.name) : undefined;
    return known ? this.#mentions(known, param) : type.params.some((one) => this.#mentions(one, param));
  }
}

function fitsNull(type: CelType): boolean {
  return ['opaque', 'struct', 'duration', 'timestamp', 'null'].includes(type.kind);
}

export function mostGeneral(left: CelType, right: CelType): CelType {
  return isAsGeneral(left, right) ? left : right;
}

function isAsGeneral(left: CelType, right: CelType): boolean {
  if (left.kind === 'dyn' || left.kind === 'param') return true;
  if (right.kind === 'dyn' || right.kind === 'param' || left.kind !== right.kind) return false;
  if (left.kind === 'type') return true;
  if (left.params.length === 0) return sameType(left, right);
  return left.name === right.name && left.params.every((one, i) => isAsGeneral(one, right.params[i] ?? ERROR));
}
