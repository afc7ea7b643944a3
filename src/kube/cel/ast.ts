/** Expressions of CEL as a tree. Macros are expanded by the parser: `all`, `map` and the others become folds. */
import type { Value } from '#kube/cel/values.ts';

interface Node {
  readonly id: number;
  /** Offset in the text that errors point to. */
  readonly at: number;
}

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: Value;
}

export interface Ident extends Node {
  readonly kind: 'ident';
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** Made by `has()`: whether the field is there, not what it is. */
  readonly isTest: boolean;
}

export interface Call extends Node {
  readonly kind: 'call';
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Node {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  /** Positions of the elements written as `?x`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly key: Expr;
  readonly value: Expr;
  readonly isOptional: boolean;
}

export interface MapExpr extends Node {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

/** Goes through a list or the keys of a map, with a value that each step makes anew. */
export interface Fold extends Node {
  readonly kind: 'fold';
  readonly range: Expr;
  /** The element or key; with `iterVar2`, the index or key. */
  readonly iterVar: string;
  /** The element or value. */
  readonly iterVar2: string | undefined;
  readonly accuVar: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | Fold;

/** Name of a fold's value, which no expression can write. */
export const ACCUMULATOR = '@result';
