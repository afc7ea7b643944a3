/** What Kubernetes asks of expressions beyond their types: literals of one type, and texts that can be read. */
import type { Call, Expr, ListExpr, MapExpr } from '#kube/cel/ast.ts';
import type { Checked } from '#kube/cel/checker.ts';
import type { CelIssue } from '#kube/cel/errors.ts';
import { formatIssue } from '#kube/cel/format-check.ts';
import { parseTimestamp } from '#kube/cel/library/timestamps.ts';
import { type CelType, DYN, formatType, sameType, unwrapOptional } from '#kube/cel/types.ts';
import { parseDuration } from '#kube/duration.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compilePattern } from '#kube/re2.ts';

export function validateExpression(checked: Checked): CelIssue[] {
  const issues: CelIssue[] = [];
  visit(checked.root, { checked, issues, isInFormat: false, seen: new Set() });
  return issues;
}

interface Visit {
  readonly checked: Checked;
  readonly issues: CelIssue[];
  readonly seen: Set<number>;
  /** Arguments of `format` may be of any types. */
  readonly isInFormat: boolean;
}

function visit(expr: Expr, context: Visit): void {
  if (context.seen.has(expr.id)) return;
  context.seen.add(expr.id);
  if (!context.isInFormat && expr.kind === 'list') checkElements(expr, context);
  if (!context.isInFormat && expr.kind === 'map') checkEntries(expr, context);
  if (expr.kind === 'call') checkCall(expr, context);
  const isInFormat = context.isInFormat || (expr.kind === 'call' && expr.name === 'format');
  for (const part of partsOf(expr)) visit(part, { ...context, isInFormat });
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args;
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'fold':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}

function checkElements(expr: ListExpr, { checked, issues }: Visit): void {
  const typed = expr.elements.map((element, position) => {
    const type = checked.types.get(element.id) ?? DYN;
    return { at: element.at, type: expr.optional.has(position) ? unwrapOptional(type) : type };
  });
  reportMixed(typed, issues);
}

function checkEntries(expr: MapExpr, { checked, issues }: Visit): void {
  const typeOf = (part: Expr) => checked.types.get(part.id) ?? DYN;
  reportMixed(
    expr.entries.map(({ key }) => ({ at: key.at, type: typeOf(key) })),
    issues,
  );
  const values = expr.entries.map(({ value, isOptional }) => {
    return { at: value.at, type: isOptional ? unwrapOptional(typeOf(value)) : typeOf(value) };
  });
  reportMixed(values, issues);
}

/** The first part that is of another type than the first one. */
function reportMixed(parts: readonly { readonly at: number; readonly type: CelType }[], issues: CelIssue[]): void {
  const [first] = parts;
  const other = first && parts.find(({ type }) => !sameType(type, first.type));
  if (first === undefined || other === undefined) return;
  const message = `expected type '${formatType(first.type)}' but found '${formatType(other.type)}'`;
  issues.push({ at: other.at, message });
}

function checkCall(expr: Call, context: Visit): void {
  checkLiterals(expr, context);
  const issue = formatIssue(expr, context.checked);
  if (issue) context.issues.push(issue);
}

function checkLiterals(expr: Call, { issues }: Visit): void {
  const arg = expr.name === 'matches' && expr.target === undefined ? expr.args[1] : expr.args[0];
  if (arg?.kind !== 'literal' || typeof arg.value !== 'string') return;
  if (!isReadable(expr.name, arg.value)) issues.push({ at: arg.at, message: `invalid ${expr.name} argument` });
}

function isReadable(name: string, text: string): boolean {
  if (name === 'duration') return !(parseDuration(text) instanceof ParseError);
  if (name === 'timestamp') return parseTimestamp(text) !== undefined;
  return name !== 'matches' || !(compilePattern(text) instanceof ParseError);
}
