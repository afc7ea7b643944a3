/**
 * Gives every part of an expression its type and finds the overloads that a call can mean, before anything runs. What
 * cannot be typed is an issue, with its place, in the words of Kubernetes' checker.
 */
import type { Call, Expr, Fold, ListExpr, MapExpr, Select } from '#kube/cel/ast.ts';
import type { Overload } from '#kube/cel/declarations.ts';
import type { CelIssue } from '#kube/cel/errors.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  ERROR,
  formatType,
  INT,
  isDynOrError,
  isOptional,
  listType,
  mapType,
  mostGeneral,
  NULL,
  optionalType,
  sameType,
  Solution,
  STRING,
  typeParam,
  UINT,
  unwrapOptional,
} from '#kube/cel/types.ts';
import { Uint, type Value } from '#kube/cel/values.ts';

export interface Environment {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
}

export interface Checked {
  readonly root: Expr;
  /** Of parts, by id. */
  readonly types: ReadonlyMap<number, CelType>;
  /** Of calls, by id. A member call may turn out to be a call of a function whose name has dots. */
  readonly calls: ReadonlyMap<number, ResolvedCall>;
  readonly variables: ReadonlySet<string>;
  /** Selections that are one name with dots in it, by id. */
  readonly names: ReadonlyMap<number, string>;
  readonly issues: readonly CelIssue[];
}

export interface ResolvedCall {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Target first, where there is one. */
  readonly args: readonly Expr[];
  readonly isMember: boolean;
}

export function checkExpression(root: Expr, environment: Environment): Checked {
  return new Checker(environment).run(root);
}

class Checker {
  readonly #environment: Environment;
  readonly #types = new Map<number, CelType>();
  readonly #calls = new Map<number, ResolvedCall>();
  readonly #used = new Set<string>();
  readonly #names = new Map<number, string>();
  readonly #issues: CelIssue[] = [];
  #scopes: readonly ReadonlyMap<string, CelType>[] = [];
  readonly #solution = new Solution();
  #params = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  run(root: Expr): Checked {
    this.#check(root);
    const types = new Map([...this.#types].map(([id, type]) => [id, this.#solution.resolve(type, 'dyn')]));
    return { root, types, calls: this.#calls, variables: this.#used, names: this.#names, issues: this.#issues };
  }

  #report(at: number, message: string): CelType {
    this.#issues.push({ at, message });
    return ERROR;
  }

  /** Macros may use a part more than once; it is looked at once. */
  #check(expr: Expr): CelType {
    const type = this.#types.get(expr.id) ?? this.#typeOf(expr);
    this.#types.set(expr.id, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.#lookup(expr.name) ?? this.#undeclared(expr.at, expr.name);
      case 'select':
        return this.#selectType(expr);
      case 'call':
        return this.#callType(expr);
      case 'list':
        return this.#listType(expr);
      case 'map':
        return this.#mapType(expr);
      default:
        return this.#foldType(expr);
    }
  }

  #undeclared(at: number, name: string): CelType {
    return this.#report(at, `undeclared reference to '${name}' (in container '')`);
  }

  #lookup(name: string): CelType | undefined {
    for (const scope of this.#scopes) {
      const type = scope.get(name);
      if (type) return type;
    }
    const type = this.#environment.variables.get(name);
    if (type && type.kind !== 'type') this.#used.add(name);
    return type;
  }

  #selectType(expr: Select): CelType {
    const name = qualifiedName(expr) ?? '';
    const named = this.#environment.variables.get(name);
    if (named) {
      this.#names.set(expr.id, name);
      return named;
    }
    const operand = this.#check(expr.operand);
    const type = this.#fieldType(expr.at, operand, expr.field);
    return expr.isTest ? BOOL : type;
  }

  #fieldType(at: number, operand: CelType, field: string): CelType {
    const resolved = this.#solution.resolve(operand);
    const target = unwrapOptional(resolved);
    const type = this.#memberType(at, target, field);
    return isOptional(resolved) ? optionalType(type) : type;
  }

  #memberType(at: number, target: CelType, field: string): CelType {
    if (target.kind === 'map') return target.params[1] ?? DYN;
    if (target.kind === 'struct') return target.fields?.get(field) ?? this.#report(at, `undefined field '${field}'`);
    if (target.kind === 'param') this.#assign(DYN, target);
    else if (!isDynOrError(target)) {
      this.#report(at, `type '${formatType(target)}' does not support field selection`);
    }
    return DYN;
  }

  /** Whether the types fit; learns what type parameters stand for only if they do. */
  #assign(left: CelType, right: CelType): boolean {
    return this.#assignAll([left], [right]);
  }

  #assignAll(left: readonly CelType[], right: readonly CelType[]): boolean {
    return this.#solution.tryUnify(left, right);
  }

  #callType(expr: Call): CelType {
    if (expr.name === '_?._') return this.#optionalSelectType(expr);
    const qualified = expr.target && qualifiedName(expr.target);
    for (const arg of expr.args) this.#check(arg);
    if (qualified !== undefined) {
      const name = `${qualified}.${expr.name}`;
      if (this.#environment.functions.has(name)) return this.#resolve(expr, name, undefined);
    }
    if (expr.target) this.#check(expr.target);
    if (!this.#environment.functions.has(expr.name)) return this.#undeclared(expr.at, expr.name);
    return this.#resolve(expr, expr.name, expr.target);
  }

  #optionalSelectType(expr: Call): CelType {
    const [operand, field] = expr.args;
    if (!operand || field?.kind !== 'literal' || typeof field.value !== 'string') return ERROR;
    const type = this.#check(operand);
    this.#types.set(field.id, STRING);
    const found = this.#fieldType(expr.at, type, field.value);
    this.#calls.set(expr.id, { name: expr.name, overloads: [], args: expr.args, isMember: false });
    return optionalType(unwrapOptional(found));
  }

  #resolve(expr: Call, name: string, target: Expr | undefined): CelType {
    const args = target ? [target, ...expr.args] : expr.args;
    const types = args.map((arg) => this.#types.get(arg.id) ?? ERROR);
    if (name === '_&&_' || name === '_||_') return this.#junctionType(expr, name, types);
    const candidates = (this.#environment.functions.get(name) ?? []).filter(
      (one) => one.isMember === (target !== undefined),
    );
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const candidate of candidates) {
      const found = this.#match(candidate, types);
      if (found === undefined) continue;
      matching.push(candidate);
      if (result === undefined) result = found;
      else if (result.kind !== 'dyn' && !sameType(found, result)) result = DYN;
    }
    if (result === undefined) return this.#noOverload(expr, name, { types, isMember: target !== undefined });
    this.#calls.set(expr.id, { name, overloads: matching, args, isMember: target !== undefined });
    return result;
  }

  /** The type of the result when the overload takes these arguments. */
  #match(candidate: Overload, types: readonly CelType[]): CelType | undefined {
    const fresh = new Solution(new Map(candidate.typeParams.map((name) => [name, this.#newParam()])));
    const params = candidate.params.map((param) => fresh.resolve(param));
    return this.#assignAll(types, params) ? this.#solution.resolve(fresh.resolve(candidate.result)) : undefined;
  }

  #newParam(): CelType {
    this.#params += 1;
    return typeParam(`_var${this.#params}`);
  }

  #junctionType(expr: Call, name: string, types: readonly CelType[]): CelType {
    const wrong = types.flatMap((type, position) => (this.#assign(type, BOOL) ? [] : [{ type, position }]));
    for (const { type, position } of wrong) {
      const at = expr.args[position]?.at ?? expr.at;
      this.#report(at, `expected type 'bool' but found '${formatType(this.#solution.resolve(type))}'`);
    }
    const overloads = this.#environment.functions.get(name) ?? [];
    this.#calls.set(expr.id, { name, overloads, args: expr.args, isMember: false });
    return wrong.length > 0 ? ERROR : BOOL;
  }

  #noOverload(expr: Call, name: string, call: { types: readonly CelType[]; isMember: boolean }): CelType {
    const shown = call.types.map((type) => formatType(this.#solution.resolve(type, 'dyn')));
    const [target = '', ...rest] = shown;
    const signature = call.isMember ? `${target}.(${rest.join(', ')})` : `(${shown.join(', ')})`;
    return this.#report(expr.at, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  #listType(expr: ListExpr): CelType {
    let joined: CelType | undefined;
    for (const [position, element] of expr.elements.entries()) {
      const type = this.#elementType(element, expr.optional.has(position));
      joined = this.#join(joined, type);
    }
    return listType(joined ?? this.#newParam());
  }

  #elementType(element: Expr, isOptionalElement: boolean): CelType {
    const type = this.#check(element);
    if (!isOptionalElement) return type;
    if (!isOptional(type) && type.kind !== 'dyn') this.#mismatch(element.at, optionalType(type), type);
    return unwrapOptional(type);
  }

  #mapType(expr: MapExpr): CelType {
    let [key, value]: [CelType | undefined, CelType | undefined] = [undefined, undefined];
    for (const entry of expr.entries) {
      key = this.#join(key, this.#check(entry.key));
      value = this.#join(value, this.#elementType(entry.value, entry.isOptional));
    }
    return mapType(key ?? this.#newParam(), value ?? this.#newParam());
  }

  /** Literals of several types hold anything; `validators.ts` says where that is not wanted. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.#assign(previous, current) ? mostGeneral(previous, current) : DYN;
  }

  #mismatch(at: number, expected: CelType, actual: CelType): void {
    const [want, got] = [expected, actual].map((type) => formatType(this.#solution.resolve(type)));
    this.#report(at, `expected type '${want}' but found '${got}'`);
  }

  #foldType(expr: Fold): CelType {
    const range = this.#solution.resolve(this.#check(expr.range));
    const accu = this.#check(expr.init);
    const outer = this.#scopes;
    const withAccu = [new Map([[expr.accuVar, accu]]), ...outer];
    this.#scopes = [this.#iterationScope(expr, range), ...withAccu];
    const condition = this.#check(expr.condition);
    if (!this.#assign(BOOL, condition)) this.#mismatch(expr.condition.at, BOOL, condition);
    const step = this.#check(expr.step);
    if (!this.#assign(accu, step)) this.#mismatch(expr.step.at, accu, step);
    this.#scopes = withAccu;
    const result = this.#check(expr.result);
    this.#scopes = outer;
    return this.#solution.resolve(result);
  }

  #iterationScope(expr: Fold, range: CelType): ReadonlyMap<string, CelType> {
    const [first, second] = this.#iterationTypes(expr, range);
    const entries: [string, CelType][] = [[expr.iterVar, first]];
    if (expr.iterVar2 !== undefined) entries.push([expr.iterVar2, second]);
    return new Map(entries);
  }

  #iterationTypes(expr: Fold, range: CelType): [CelType, CelType] {
    const [first = DYN, second = DYN] = range.params;
    if (range.kind === 'list') return expr.iterVar2 === undefined ? [first, first] : [INT, first];
    if (range.kind === 'map') return [first, second];
    if (isDynOrError(range) || range.kind === 'param') {
      this.#assign(DYN, range);
      return [DYN, DYN];
    }
    const rule = 'cannot be range of a comprehension (must be list, map, or dynamic)';
    this.#report(expr.range.at, `expression of type '${formatType(range)}' ${rule}`);
    return [ERROR, ERROR];
  }
}

function literalType(value: Value): CelType {
  if (value === null) return NULL;
  if (value instanceof Uint8Array) return BYTES;
  if (value instanceof Uint) return UINT;
  return { boolean: BOOL, bigint: INT, number: DOUBLE, string: STRING }[typeof value as string] ?? DYN;
}

/** `a.b.c`, when an expression is nothing but names. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.isTest) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}
