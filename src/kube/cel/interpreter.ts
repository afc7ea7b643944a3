/**
 * Runs a checked expression. Failures are exceptions, except where CEL lets another part outvote them: `&&`, `||`,
 * `all` and `exists`. Every step costs; an evaluation that costs more than it may ends with `CelCostExceeded`, which
 * nothing outvotes. Work within one step that costs leave out is bounded as well (`work.ts`).
 */
import type { Call, Expr, Fold, ListExpr, MapExpr, Select } from '#kube/cel/ast.ts';
import type { Checked, ResolvedCall } from '#kube/cel/checker.ts';
import { LIST_COST, MAP_COST } from '#kube/cel/cost-estimate.ts';
import { costOfCall } from '#kube/cel/cost-run.ts';
import type { Overload } from '#kube/cel/declarations.ts';
import { CelCostExceeded, CelFailure } from '#kube/cel/errors.ts';
import { isConstantConversion } from '#kube/cel/constants.ts';
import { indexOptional } from '#kube/cel/library/collections.ts';
import { ArrayList, elementsOf, EntryMap, isList, isMap, isOfType, Optional, type Value } from '#kube/cel/values.ts';
import { spend, type Work } from '#kube/cel/work.ts';

/** Variables by name; undefined when there is none. Called when a variable is read. */
export type Bindings = (name: string) => Value | undefined;

export interface Limits {
  /** What the evaluation may cost. */
  readonly limit: number;
  /** What it may do beyond that; shared by the evaluations that belong together. */
  readonly work: Work;
}

/** A variable of a fold: its value, or the failure that it came to. */
interface Frame {
  readonly name: string;
  readonly value: Value | CelFailure;
  readonly outer: Frame | undefined;
}

export class Interpreter {
  readonly #checked: Checked;
  readonly #bindings: Bindings;
  readonly #limit: number;
  readonly #work: Work;
  cost = 0;

  constructor(checked: Checked, bindings: Bindings, { limit, work }: Limits) {
    this.#checked = checked;
    this.#bindings = bindings;
    this.#limit = limit;
    this.#work = work;
  }

  run(): Value {
    return this.#eval(this.#checked.root, undefined);
  }

  #pay(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw new CelCostExceeded('operation cancelled: actual cost limit exceeded');
  }

  /** An attribute costs nothing of its own where Kubernetes' planner makes it a step of another. */
  #free<T>(expr: Expr | undefined, run: () => T): T {
    const before = this.cost;
    const value = run();
    if (expr && isAttribute(expr)) this.cost = before;
    return value;
  }

  #eval(expr: Expr, frame: Frame | undefined): Value {
    switch (expr.kind) {
      case 'literal':
        return expr.value;
      case 'ident':
        if (this.#checked.variables.has(expr.name) || frame) this.#pay(1);
        return this.#variable(expr.name, frame);
      case 'select':
        return this.#select(expr, frame);
      case 'call':
        return this.#call(expr, frame);
      case 'list':
        return this.#list(expr, frame);
      case 'map':
        return this.#map(expr, frame);
      default:
        return this.#fold(expr, frame);
    }
  }

  #variable(name: string, frame: Frame | undefined): Value {
    for (let one = frame; one !== undefined; one = one.outer) {
      if (one.name !== name) continue;
      if (one.value instanceof CelFailure) throw one.value;
      return one.value;
    }
    const value = this.#bindings(name);
    if (value === undefined) throw new CelFailure(`no such attribute(s): ${name}`);
    return value;
  }

  #select(expr: Select, frame: Frame | undefined): Value {
    const name = this.#checked.names.get(expr.id);
    if (name !== undefined) return this.#variable(name, undefined);
    const operand = this.#eval(expr.operand, frame);
    if (expr.isTest) return has(operand, expr.field);
    this.#pay(isAttributeStart(expr.operand) ? 1 : 2);
    if (operand instanceof Optional) return indexOptional(operand, expr.field);
    if (!isMap(operand)) throw new CelFailure('no such overload');
    const value = operand.get(expr.field);
    if (value === undefined) throw new CelFailure(`no such key: ${expr.field}`);
    return value;
  }

  #call(expr: Call, frame: Frame | undefined): Value {
    const call = this.#checked.calls.get(expr.id);
    if (call === undefined) throw new CelFailure('no such overload');
    const [first, second] = call.args;
    switch (call.name) {
      case '_?_:_':
        return this.#conditional(call, frame);
      case '_&&_':
        return this.#junction(call, { frame, decides: false });
      case '_||_':
        return this.#junction(call, { frame, decides: true });
      case '@not_strictly_false':
        return first ? this.#isNotFalse(first, frame) : true;
      case '_?._':
        return this.#optionalStep(this.#evalArg(first, frame), this.#evalArg(second, frame));
      default:
        return isOptionalChoice(call) ? this.#choose(call, frame) : this.#dispatch(call, frame);
    }
  }

  /** A step that finds nothing costs nothing. */
  #optionalStep(operand: Value, key: Value): Value {
    const found = indexOptional(operand, key);
    if (found.value !== undefined) this.#pay(1);
    return found;
  }

  #evalArg(expr: Expr | undefined, frame: Frame | undefined): Value {
    return expr ? this.#eval(expr, frame) : null;
  }

  #conditional({ args }: ResolvedCall, frame: Frame | undefined): Value {
    const condition = this.#evalArg(args[0], frame);
    if (typeof condition !== 'boolean') throw new CelFailure('no such overload');
    const chosen = condition ? args[1] : args[2];
    return this.#free(chosen, () => this.#evalArg(chosen, frame));
  }

  /** One part that decides makes up for another that fails. */
  #junction({ args }: ResolvedCall, { frame, decides }: { frame: Frame | undefined; decides: boolean }): Value {
    const left = this.#attempt(args[0], frame);
    if (left === decides) return decides;
    const right = this.#attempt(args[1], frame);
    if (right === decides) return decides;
    for (const part of [left, right]) {
      if (part instanceof CelFailure) throw part;
      if (typeof part !== 'boolean') throw new CelFailure('no such overload');
    }
    return !decides;
  }

  #attempt(expr: Expr | undefined, frame: Frame | undefined): Value | CelFailure {
    try {
      return this.#evalArg(expr, frame);
    } catch (error) {
      if (error instanceof CelFailure) return error;
      throw error;
    }
  }

  #isNotFalse(expr: Expr, frame: Frame | undefined): boolean {
    const value = this.#attempt(expr, frame);
    this.#pay(1);
    return value !== false;
  }

  /** `a.or(b)`, `a.orValue(b)`: the second part only when the first has no value. */
  #choose(call: ResolvedCall, frame: Frame | undefined): Value {
    const [first, second] = call.args;
    const optional = this.#evalArg(first, frame);
    if (!(optional instanceof Optional)) throw new CelFailure('no such overload');
    if (optional.value === undefined) return this.#evalArg(second, frame);
    return call.name === 'or' ? optional : optional.value;
  }

  #dispatch(call: ResolvedCall, frame: Frame | undefined): Value {
    const args = call.args.map((_arg, position) => this.#attemptArg(call, position, frame));
    const [first] = call.args;
    if (call.name === '_[_]' && first && !isAttributeStart(first)) this.#pay(1);
    const failure = args.find((arg) => arg instanceof CelFailure);
    if (failure === undefined) return this.#run(call, args as Value[]);
    // What is around a failure is still counted.
    this.#pay(this.#costOf(call, { id: call.overloads[0]?.id ?? '', args: args.map(orNull), result: null }));
    throw failure;
  }

  #attemptArg(call: ResolvedCall, position: number, frame: Frame | undefined): Value | CelFailure {
    const arg = call.args[position];
    const isStep = call.name === '_[_]' && position === 1;
    return isStep ? this.#free(arg, () => this.#attempt(arg, frame)) : this.#attempt(arg, frame);
  }

  #run(call: ResolvedCall, args: readonly Value[]): Value {
    for (const arg of args) spend(this.#work, lettersOf(arg) / LETTERS_PER_UNIT);
    const chosen = call.overloads.find((one) => takes(one, args));
    const id = chosen?.id ?? call.overloads[0]?.id ?? '';
    try {
      if (chosen === undefined) throw new CelFailure('no such overload');
      const result = chosen.run(args, this.#work);
      this.#pay(this.#costOf(call, { id, args, result }));
      return result;
    } catch (error) {
      if (error instanceof CelFailure) this.#pay(this.#costOf(call, { id, args, result: null }));
      throw error;
    }
  }

  #costOf(call: ResolvedCall, { id, args, result }: { id: string; args: readonly Value[]; result: Value }): number {
    if (isConstantConversion(call, this.#checked.calls)) return 0;
    const [, list] = call.args;
    const isSet = call.name === '@in' && list?.kind === 'list' && isConstant(list);
    return isSet ? 0 : costOfCall(call.name, id, args, result);
  }

  #list(expr: ListExpr, frame: Frame | undefined): Value {
    const elements: Value[] = [];
    for (const [position, element] of expr.elements.entries()) {
      const value = this.#eval(element, frame);
      if (!expr.optional.has(position)) elements.push(value);
      else if (value instanceof Optional && value.value !== undefined) elements.push(value.value);
    }
    if (!isConstant(expr)) this.#pay(LIST_COST);
    return new ArrayList(elements);
  }

  #map(expr: MapExpr, frame: Frame | undefined): Value {
    const map = new EntryMap();
    for (const entry of expr.entries) {
      const key = this.#eval(entry.key, frame);
      const given = this.#eval(entry.value, frame);
      const value = entry.isOptional && given instanceof Optional ? given.value : given;
      if (value !== undefined && !map.insert(key, value)) throw new CelFailure(`Failed with repeated key`);
    }
    if (!isConstant(expr)) this.#pay(MAP_COST);
    return map;
  }

  #fold(expr: Fold, frame: Frame | undefined): Value {
    const range = this.#eval(expr.range, frame);
    let accu: Value | CelFailure = this.#attempt(expr.init, frame);
    for (const [first, second] of iterations(range, expr)) {
      const withAccu: Frame = { name: expr.accuVar, value: accu, outer: frame };
      let inner: Frame = { name: expr.iterVar, value: first, outer: withAccu };
      if (expr.iterVar2 !== undefined) inner = { name: expr.iterVar2, value: second, outer: inner };
      if (this.#eval(expr.condition, inner) !== true) break;
      accu = this.#attempt(expr.step, inner);
    }
    return this.#eval(expr.result, { name: expr.accuVar, value: accu, outer: frame });
  }
}

/** Letters that are looked at for one unit of work. */
const LETTERS_PER_UNIT = 4;

function lettersOf(value: Value): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

function isOptionalChoice({ overloads }: ResolvedCall): boolean {
  return overloads.some(({ id }) => id === 'optional_or_optional' || id === 'optional_orValue_value');
}

function takes({ params }: Overload, args: readonly Value[]): boolean {
  return params.length === args.length && params.every((type, position) => isOfType(args[position] ?? null, type));
}

function isAttribute(expr: Expr): boolean {
  return expr.kind === 'ident' || (expr.kind === 'select' && !expr.isTest && isAttribute(expr.operand));
}

/** Whether a step after it goes on with an attribute that is counted already. */
function isAttributeStart(expr: Expr): boolean {
  return (
    expr.kind === 'ident' || (expr.kind === 'select' && !expr.isTest) || (expr.kind === 'call' && expr.name === '_[_]')
  );
}

function orNull(value: Value | CelFailure): Value {
  return value instanceof CelFailure ? null : value;
}

/** Literals of literals are made once. */
function isConstant(expr: Expr): boolean {
  if (expr.kind === 'list') return expr.optional.size === 0 && expr.elements.every(isConstant);
  if (expr.kind !== 'map') return expr.kind === 'literal';
  return expr.entries.every(({ key, value, isOptional }) => !isOptional && isConstant(key) && isConstant(value));
}

function has(operand: Value, field: string): boolean {
  const inner = operand instanceof Optional ? operand.value : operand;
  if (inner === undefined) return false;
  if (!isMap(inner)) throw new CelFailure('no such overload');
  return inner.get(field) !== undefined;
}

function* iterations(range: Value, { iterVar2 }: Fold): Generator<readonly [Value, Value]> {
  if (isList(range)) {
    let position = 0n;
    for (const element of elementsOf(range)) {
      yield iterVar2 === undefined ? [element, element] : [position, element];
      position += 1n;
    }
  } else if (isMap(range)) {
    for (const key of range.keys()) yield [key, range.get(key) ?? null];
  } else throw new CelFailure('no such overload');
}
