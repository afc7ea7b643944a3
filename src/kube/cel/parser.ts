/**
 * Reads an expression of CEL. Precedence climbs from `?:` over `||`, `&&`, relations, sums and products to signs and
 * members; macros are expanded as they are met (`macros.ts`).
 *
 * Untrusted input: length and nesting are limited. Errors are syntax errors in the words of Kubernetes' reader where
 * it has simple ones.
 */
import type { Expr, MapEntry } from '#kube/cel/ast.ts';
import { CelCompileError, type CelIssue } from '#kube/cel/errors.ts';
import { type Token, tokenize } from '#kube/cel/lexer.ts';
import { expandMacro } from '#kube/cel/macros.ts';
import type { Value } from '#kube/cel/values.ts';

/** UTF-16 units of an expression. */
export const MAX_EXPRESSION_LENGTH = 100_000;
/** Levels of expressions within expressions. */
export const MAX_EXPRESSION_DEPTH = 250;

const RELATIONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
const SUMS: ReadonlySet<string> = new Set(['+', '-']);
const PRODUCTS: ReadonlySet<string> = new Set(['*', '/', '%']);
const PRIMARIES =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Symbols that an expression can begin with. */
const STARTS: ReadonlySet<string> = new Set(['[', '{', '(', '.', '-', '!']);

/** Makes nodes with ids of their own; macros use it as well. */
export interface NodeFactory {
  literal(at: number, value: Value): Expr;
  ident(at: number, name: string): Expr;
  call(at: number, name: string, args: readonly Expr[], target?: Expr): Expr;
  list(at: number, elements: readonly Expr[]): Expr;
  nextId(): number;
  fail(at: number, message: string): never;
}

export function parseExpression(text: string): Expr {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    const message = `expression code point size exceeds limit: size: ${text.length}, limit ${MAX_EXPRESSION_LENGTH}`;
    throw new CelCompileError('', [{ at: -1, message }]);
  }
  return new Parser(text).parse();
}

class Parser implements NodeFactory {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #issues: readonly CelIssue[];
  #position = 0;
  #ids = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    const { tokens, issues } = tokenize(text);
    this.#tokens = tokens;
    this.#issues = issues;
  }

  parse(): Expr {
    const expr = this.#ternary();
    const { kind, text, at } = this.#peek();
    if (kind !== 'end') this.fail(at, `Syntax error: extraneous input '${text}' expecting <EOF>`);
    if (this.#issues.length > 0) throw new CelCompileError(this.#text, this.#issues);
    return expr;
  }

  fail(at: number, message: string): never {
    throw new CelCompileError(this.#text, [...this.#issues, { at, message }]);
  }

  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  literal(at: number, value: Value): Expr {
    return { kind: 'literal', id: this.nextId(), at, value };
  }

  ident(at: number, name: string): Expr {
    return { kind: 'ident', id: this.nextId(), at, name };
  }

  call(at: number, name: string, args: readonly Expr[], target?: Expr): Expr {
    return { kind: 'call', id: this.nextId(), at, name, args, target };
  }

  list(at: number, elements: readonly Expr[]): Expr {
    return { kind: 'list', id: this.nextId(), at, elements, optional: new Set() };
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '<EOF>', at: this.#text.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === text;
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#next() : undefined;
  }

  /** A symbol that must be here; `others` could be as well. */
  #expect(text: string, others: readonly string[] = []): void {
    if (this.#accept(text)) return;
    const { text: found, at } = this.#peek();
    const expected = [text, ...others].map((symbol) => `'${symbol}'`).join(', ');
    if (others.length > 0) this.fail(at, `Syntax error: mismatched input '${found}' expecting {${expected}}`);
    this.fail(at, `Syntax error: missing ${expected} at '${found}'`);
  }

  #ternary(): Expr {
    this.#depth += 1;
    if (this.#depth > MAX_EXPRESSION_DEPTH) {
      this.fail(-1, `expression recursion limit exceeded: ${MAX_EXPRESSION_DEPTH}`);
    }
    const condition = this.#junction('||');
    const mark = this.#accept('?');
    let expr = condition;
    if (mark) {
      const yes = this.#junction('||');
      this.#expect(':');
      expr = this.call(mark.at, '_?_:_', [condition, yes, this.#ternary()]);
    }
    this.#depth -= 1;
    return expr;
  }

  /** `a || b || c`, as a balanced tree, so that long ones do not nest deeply. */
  #junction(symbol: '||' | '&&'): Expr {
    const operand = () => (symbol === '||' ? this.#junction('&&') : this.#relation());
    const operands = [operand()];
    const places: number[] = [];
    for (let token = this.#accept(symbol); token; token = this.#accept(symbol)) {
      places.push(token.at);
      operands.push(operand());
    }
    return this.#balanced(`_${symbol}_`, operands, places);
  }

  #balanced(name: string, operands: readonly Expr[], places: readonly number[]): Expr {
    const [first] = operands;
    if (first === undefined || operands.length === 1) return first ?? this.fail(0, 'Syntax error');
    const middle = Math.floor(operands.length / 2);
    const left = this.#balanced(name, operands.slice(0, middle), places.slice(0, middle - 1));
    const right = this.#balanced(name, operands.slice(middle), places.slice(middle));
    return this.call(places[middle - 1] ?? 0, name, [left, right]);
  }

  #relation(): Expr {
    return this.#leftToRight(RELATIONS, () => this.#sum());
  }

  #sum(): Expr {
    return this.#leftToRight(SUMS, () => this.#product());
  }

  #product(): Expr {
    return this.#leftToRight(PRODUCTS, () => this.#unary());
  }

  #leftToRight(symbols: ReadonlySet<string>, operand: () => Expr): Expr {
    const depth = this.#depth;
    let expr = operand();
    for (let token = this.#peek(); token.kind === 'symbol' && symbols.has(token.text); token = this.#peek()) {
      this.#next();
      this.#deepen();
      expr = this.call(token.at, token.text === 'in' ? '@in' : `_${token.text}_`, [expr, operand()]);
    }
    this.#depth = depth;
    return expr;
  }

  /** What nests to the left is as deep a tree as what nests to the right. */
  #deepen(): void {
    this.#depth += 1;
    if (this.#depth > MAX_EXPRESSION_DEPTH) {
      this.fail(-1, `expression recursion limit exceeded: ${MAX_EXPRESSION_DEPTH}`);
    }
  }

  #unary(): Expr {
    const token = this.#peek();
    if (!this.#is('!') && !this.#is('-')) return this.#member();
    let count = 0;
    while (this.#accept(token.text)) count += 1;
    const literal = token.text === '-' ? this.#negativeLiteral(token.at, count) : undefined;
    if (literal) return this.#members(literal);
    const operand = this.#member();
    if (count % 2 === 0) return operand;
    return this.call(token.at, token.text === '!' ? '!_' : '-_', [operand]);
  }

  /** A sign right before a number is part of it. */
  #negativeLiteral(at: number, count: number): Expr | undefined {
    const token = this.#peek();
    if (token.kind !== 'literal' || count !== 1) return undefined;
    if (typeof token.value !== 'bigint' && typeof token.value !== 'number') return undefined;
    this.#next();
    return this.literal(at, -token.value);
  }

  #member(): Expr {
    return this.#members(this.#primary());
  }

  #members(start: Expr): Expr {
    const depth = this.#depth;
    let expr = start;
    for (;;) {
      const dot = this.#accept('.');
      const bracket = dot ? undefined : this.#accept('[');
      if (dot) expr = this.#dotted(expr, dot.at);
      else if (bracket) expr = this.#indexed(expr, bracket.at);
      else break;
      this.#deepen();
    }
    this.#depth = depth;
    return expr;
  }

  #dotted(operand: Expr, at: number): Expr {
    const isOptional = this.#accept('?') !== undefined;
    const name = this.#name();
    if (isOptional) return this.call(at, '_?._', [operand, this.literal(at, name)]);
    const open = this.#accept('(');
    if (open === undefined) return { kind: 'select', id: this.nextId(), at, operand, field: name, isTest: false };
    return expandMacro(this, { at: open.at, name, target: operand, args: this.#arguments() });
  }

  #name(): string {
    const token = this.#next();
    if (token.kind === 'ident') return token.text;
    if (token.kind === 'reserved') return token.text;
    return this.fail(
      token.at,
      `Syntax error: no viable alternative at input '.${token.text === '<EOF>' ? '' : token.text}'`,
    );
  }

  #indexed(operand: Expr, at: number): Expr {
    const isOptional = this.#accept('?') !== undefined;
    const position = this.#ternary();
    this.#expect(']');
    return this.call(at, isOptional ? '_[?_]' : '_[_]', [operand, position]);
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#accept(')')) return args;
    do args.push(this.#ternary());
    while (this.#accept(','));
    this.#expect(')', [',']);
    return args;
  }

  #primary(): Expr {
    const token = this.#next();
    if (token.kind === 'literal') return this.#number(token.at, token.value);
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = this.#ternary();
      this.#expect(')');
      return inner;
    }
    if (token.kind === 'symbol' && token.text === '[') return this.#listLiteral(token.at);
    if (token.kind === 'symbol' && token.text === '{') return this.#mapLiteral(token.at);
    if (token.kind === 'symbol' && token.text === '.') return this.#named(token.at, this.#name());
    if (token.kind === 'ident') return this.#named(token.at, token.text);
    if (token.kind === 'reserved') return this.fail(token.at, `reserved identifier: ${token.text}`);
    const next = this.#peek();
    const isStart = next.kind === 'literal' || next.kind === 'ident' || STARTS.has(next.text);
    const problem = isStart ? 'extraneous' : 'mismatched';
    return this.fail(token.at, `Syntax error: ${problem} input '${token.text}' expecting ${PRIMARIES}`);
  }

  /** The least int is only a number with its sign. */
  #number(at: number, value: Value): Expr {
    return typeof value === 'bigint' && value === 2n ** 63n
      ? this.fail(at, 'invalid int literal')
      : this.literal(at, value);
  }

  #named(at: number, name: string): Expr {
    const open = this.#accept('(');
    if (open === undefined) return this.ident(at, name);
    return expandMacro(this, { at: open.at, name, target: undefined, args: this.#arguments() });
  }

  #listLiteral(at: number): Expr {
    const elements: Expr[] = [];
    const optional = new Set<number>();
    while (!this.#is(']')) {
      if (this.#accept('?')) optional.add(elements.length);
      elements.push(this.#ternary());
      if (!this.#accept(',')) break;
    }
    this.#expect(']', [',']);
    return { kind: 'list', id: this.nextId(), at, elements, optional };
  }

  #mapLiteral(at: number): Expr {
    const entries: MapEntry[] = [];
    while (!this.#is('}')) {
      const isOptional = this.#accept('?') !== undefined;
      const key = this.#ternary();
      this.#expect(':');
      entries.push({ key, value: this.#ternary(), isOptional });
      if (!this.#accept(',')) break;
    }
    this.#expect('}', [',']);
    return { kind: 'map', id: this.nextId(), at, entries };
  }
}
