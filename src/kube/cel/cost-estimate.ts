/**
 * What an expression may cost at most, before it runs, in Kubernetes' units: about one per step, a tenth per letter
 * that is looked at. Sizes that nothing limits are taken to be those of the largest request, so that a rule over an
 * unlimited list of unlimited texts is refused when it is written and not when it is too late.
 */
import type { Expr, Fold } from '#kube/cel/ast.ts';
import type { Checked, ResolvedCall } from '#kube/cel/checker.ts';
import { type Estimate, add, fixed, multiply, union, UNKNOWN } from '#kube/cel/cost-numbers.ts';
import { estimateCall } from '#kube/cel/cost-of-calls.ts';
import type { DeclType } from '#kube/cel/decl-type.ts';
import { DYN, type CelType, isOptional } from '#kube/cel/types.ts';
import { runeCount } from '#kube/cel/values.ts';

export const LIST_COST = 10;
export const MAP_COST = 30;

/** Sizes of the keys and values of a container. */
interface EntrySizes {
  readonly kind: 'list' | 'map';
  readonly key: Estimate;
  readonly value: Estimate;
}

interface LocalVar {
  readonly path: readonly string[];
  readonly size: Estimate | undefined;
  readonly entries: EntrySizes | undefined;
}

/** A part of an expression as costs see it. */
export interface CostNode {
  readonly expr: Expr;
  readonly type: CelType;
  /** Undefined where nothing limits it. */
  readonly size: Estimate | undefined;
  /** Of the elements of a list. */
  readonly itemSize: Estimate | undefined;
}

/** The dearest that the expression can be; `variables` are what is known of its variables. */
export function estimateCost(checked: Checked, variables: ReadonlyMap<string, DeclType>): number {
  return new Estimator(checked, variables).cost(checked.root).max;
}

const NOTHING = fixed(0);
const ONE = fixed(1);
const SCALARS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

class Estimator {
  readonly #checked: Checked;
  readonly #variables: ReadonlyMap<string, DeclType>;
  readonly #costs = new Map<number, Estimate>();
  readonly #paths = new Map<number, readonly string[]>();
  readonly #sizes = new Map<number, Estimate>();
  readonly #entries = new Map<number, EntrySizes>();
  #locals: readonly (readonly [name: string, local: LocalVar])[] = [];

  constructor(checked: Checked, variables: ReadonlyMap<string, DeclType>) {
    this.#checked = checked;
    this.#variables = variables;
  }

  /** Macros may use a part more than once; it is looked at once, and counts each time. */
  cost(expr: Expr): Estimate {
    const cost = this.#costs.get(expr.id) ?? this.#costOf(expr);
    this.#costs.set(expr.id, cost);
    return cost;
  }

  #costOf(expr: Expr): Estimate {
    switch (expr.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        this.#paths.set(expr.id, this.#local(expr.name)?.path ?? [expr.name]);
        return ONE;
      case 'select':
        return this.#selectCost(expr);
      case 'call':
        return this.#callCost(expr);
      case 'list':
        return this.#listCost(expr);
      case 'map':
        return this.#mapCost(expr);
      default:
        return expr.iterVar === '#unused' ? this.#bindCost(expr) : this.#foldCost(expr);
    }
  }

  #local(name: string): LocalVar | undefined {
    return this.#locals.findLast(([known]) => known === name)?.[1];
  }

  #type(expr: Expr): CelType {
    return this.#checked.types.get(expr.id) ?? DYN;
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr.id) ?? [];
  }

  #selectCost(expr: Expr & { kind: 'select' }): Estimate {
    const operand = this.cost(expr.operand);
    if (expr.isTest) return operand;
    this.#paths.set(expr.id, [...this.#path(expr.operand), expr.field]);
    const { kind } = this.#type(expr.operand);
    return kind === 'map' || kind === 'struct' || kind === 'param' ? add(operand, ONE) : operand;
  }

  #callCost(expr: Expr & { kind: 'call' }): Estimate {
    const call = this.#checked.calls.get(expr.id);
    if (call === undefined) return NOTHING;
    if (call.name === 'dyn') return this.#dynCost(expr, call);
    const costs = call.args.map((arg) => this.cost(arg));
    const [target] = call.isMember ? costs : [];
    const argCosts = call.isMember ? costs.slice(1) : costs;
    const nodes = call.args.map((arg) => this.#node(arg));
    return add(target ?? NOTHING, this.#overloadsCost(expr, call, { nodes, costs: argCosts }));
  }

  #dynCost(expr: Expr, call: ResolvedCall): Estimate {
    const [arg] = call.args;
    if (arg === undefined) return ONE;
    const cost = this.cost(arg);
    this.#keep(expr, this.#size(arg), this.#entrySizes(arg));
    return add(ONE, cost);
  }

  #keep(expr: Expr, size: Estimate | undefined, entries: EntrySizes | undefined): void {
    if (size) this.#sizes.set(expr.id, size);
    if (entries) this.#entries.set(expr.id, entries);
  }

  /** The dearest of the overloads that the call may mean. */
  #overloadsCost(
    expr: Expr,
    call: ResolvedCall,
    { nodes, costs }: { readonly nodes: readonly CostNode[]; readonly costs: readonly Estimate[] },
  ): Estimate {
    const ids = call.overloads.length > 0 ? call.overloads.map(({ id }) => id) : ['select_optional_field'];
    let total: Estimate | undefined;
    let size: Estimate | undefined;
    for (const id of ids) {
      const estimate = estimateCall({ name: call.name, id, isMember: call.isMember, args: nodes, costs });
      total = total ? union(total, estimate.cost) : estimate.cost;
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
      size = this.#indexedSize(expr, id, call) ?? size ?? this.#size(expr);
      this.#mergeEntries(expr, id, call);
    }
    if (size) this.#sizes.set(expr.id, size);
    return total ?? NOTHING;
  }

  #indexedSize(expr: Expr, id: string, { args }: ResolvedCall): Estimate | undefined {
    const [container] = args;
    if (container === undefined || (id !== 'index_list' && id !== 'index_map')) return undefined;
    this.#paths.set(expr.id, [...this.#path(container), id === 'index_list' ? '@items' : '@values']);
    return this.#entrySizes(container)?.value;
  }

  /** Of `a ? b : c` and `b + c`: those of both. */
  #mergeEntries(expr: Expr, id: string, { args }: ResolvedCall): void {
    const isJoin = id === 'conditional' || id === 'add_list';
    const [left, right] = isJoin ? args.slice(-2).map((arg) => this.#entrySizes(arg)) : [];
    if (!left || !right) return;
    const merged = { kind: left.kind, key: union(left.key, right.key), value: union(left.value, right.value) };
    this.#entries.set(expr.id, merged);
  }

  #listCost(expr: Expr & { kind: 'list' }): Estimate {
    const costs = expr.elements.map((element) => this.cost(element));
    const sizes = expr.elements.map((element) => this.#size(element) ?? UNKNOWN);
    this.#entries.set(expr.id, { kind: 'list', key: ONE, value: unionOf(sizes) });
    return add(sumOf(costs), fixed(LIST_COST));
  }

  #mapCost(expr: Expr & { kind: 'map' }): Estimate {
    const costs = expr.entries.map(({ key, value }) => add(this.cost(key), this.cost(value)));
    const key = unionOf(expr.entries.map((entry) => this.#size(entry.key) ?? UNKNOWN));
    const value = unionOf(expr.entries.map((entry) => this.#size(entry.value) ?? UNKNOWN));
    this.#entries.set(expr.id, { kind: 'map', key, value });
    return add(sumOf(costs), fixed(MAP_COST));
  }

  #foldCost(expr: Fold): Estimate {
    const start = add(this.cost(expr.range), this.cost(expr.init));
    const outer = this.#locals;
    const accu: LocalVar = {
      path: this.#path(expr.init),
      size: this.#size(expr.init),
      entries: this.#entrySizes(expr.init),
    };
    const withAccu = [...outer, [expr.accuVar, accu] as const];
    this.#locals = [...withAccu, ...this.#iterationVars(expr)];
    const condition = this.cost(expr.condition);
    const step = this.cost(expr.step);
    this.#locals = withAccu;
    const end = this.cost(expr.result);
    this.#locals = outer;
    const count = this.#size(expr.range) ?? UNKNOWN;
    this.#foldSize(expr, count);
    return add(add(start, end), multiply(count, add(step, condition)));
  }

  #iterationVars(expr: Fold): (readonly [string, LocalVar])[] {
    const entries = this.#entrySizes(expr.range);
    const kind = entries?.kind ?? this.#type(expr.range).kind;
    const path = this.#path(expr.range);
    const variable = (step: string, size: Estimate | undefined): LocalVar => {
      return { path: [...path, step], size, entries: undefined };
    };
    const key = variable(kind === 'list' ? '@indices' : '@keys', entries?.key);
    const value = variable(kind === 'list' ? '@items' : '@values', entries?.value);
    if (expr.iterVar2 !== undefined)
      return [
        [expr.iterVar, key],
        [expr.iterVar2, value],
      ];
    return [[expr.iterVar, kind === 'list' ? value : key]];
  }

  #foldSize(expr: Fold, count: Estimate): void {
    if (expr.init.kind === 'literal') this.#keep(expr, this.#size(expr.init), undefined);
    else if (expr.init.kind === 'list' || expr.init.kind === 'map')
      this.#keep(expr, count, this.#entrySizes(expr.step));
  }

  #bindCost(expr: Fold): Estimate {
    const start = add(this.cost(expr.range), this.cost(expr.init));
    const outer = this.#locals;
    const bound: LocalVar = {
      path: this.#path(expr.init),
      size: this.#size(expr.init),
      entries: this.#entrySizes(expr.init),
    };
    this.#locals = [...outer, [expr.accuVar, bound]];
    const result = this.cost(expr.result);
    this.#locals = outer;
    this.#keep(expr, this.#size(expr.result), this.#entrySizes(expr.result));
    return add(start, result);
  }

  #node(expr: Expr): CostNode {
    const path = this.#path(expr);
    const items = path.length === 0 ? undefined : this.#sizeAt([...path, '@items']);
    return { expr, type: this.#type(expr), size: this.#size(expr), itemSize: items };
  }

  #size(expr: Expr): Estimate | undefined {
    const known = this.#sizes.get(expr.id) ?? literalSize(expr) ?? this.#sizeAt(this.#path(expr));
    if (known) return known;
    if (isScalar(this.#type(expr))) return ONE;
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined;
  }

  #entrySizes(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr.id) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined);
  }

  /**
   * What is known of the value at a path such as `self`, `spec`, `@items`. Elements of lists that are no part of a
   * variable count as the first variable itself, as in Kubernetes.
   */
  #sizeAt(path: readonly string[]): Estimate | undefined {
    const [name, ...steps] = path;
    if (name === undefined) return undefined;
    let decl = this.#variables.get(name) ?? [...this.#variables.values()][0];
    for (const step of steps) {
      if (step === '@items' || step === '@values') decl = decl?.item;
      else if (step === '@keys') decl = decl?.key;
      else decl = decl?.fields?.get(step);
    }
    return decl && { min: 0, max: decl.maxElements };
  }
}

function literalSize(expr: Expr): Estimate | undefined {
  if (expr.kind === 'list') return fixed(expr.elements.length);
  if (expr.kind === 'map') return fixed(expr.entries.length);
  if (expr.kind !== 'literal') return undefined;
  if (typeof expr.value === 'string') return fixed(runeCount(expr.value));
  return fixed(expr.value instanceof Uint8Array ? expr.value.length : 1);
}

function isScalar(type: CelType): boolean {
  if (isOptional(type)) return isScalar(type.params[0] ?? DYN);
  return SCALARS.has(type.kind);
}

function sumOf(estimates: readonly Estimate[]): Estimate {
  return estimates.reduce(add, NOTHING);
}

function unionOf(estimates: readonly Estimate[]): Estimate {
  const [first = NOTHING, ...rest] = estimates;
  return rest.reduce(union, first);
}
