/** Whether the parts of `'…'.format([…])` fit its text, where both are written out. */
import type { Call, Expr } from '#kube/cel/ast.ts';
import type { Checked } from '#kube/cel/checker.ts';
import type { CelIssue } from '#kube/cel/errors.ts';
import { formatClauses } from '#kube/cel/library/text-format.ts';
import { type CelType, DYN } from '#kube/cel/types.ts';

/** What each clause takes, and what it says of anything else. */
const CLAUSES: Readonly<Record<string, readonly [kinds: readonly string[], rule: string]>> = {
  d: [['int', 'uint'], 'decimal clause can only be used on integers'],
  f: [['double'], 'fixed-point clause can only be used on doubles'],
  e: [['double'], 'scientific clause can only be used on doubles'],
  b: [['int', 'uint', 'bool'], 'only integers and bools can be formatted as binary'],
  o: [['int', 'uint'], 'octal clause can only be used on integers'],
  x: [['int', 'uint', 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex'],
  X: [['int', 'uint', 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex'],
};

export function formatIssue(expr: Call, checked: Checked): CelIssue | undefined {
  const [list] = expr.args;
  const text = expr.target?.kind === 'literal' ? expr.target.value : undefined;
  if (expr.name !== 'format' || typeof text !== 'string' || list?.kind !== 'list') return undefined;
  const clauses = formatClauses(text);
  for (const [position, verb] of clauses.entries()) {
    const element = list.elements[position];
    if (element === undefined) return { at: expr.at, message: `index ${position} out of range` };
    const issue = clauseIssue(verb, element, checked.types.get(element.id) ?? DYN);
    if (issue) return issue;
  }
  if (list.elements.length <= clauses.length) return undefined;
  const counts = `(expected ${clauses.length}, got ${list.elements.length})`;
  return { at: expr.at, message: `too many arguments supplied to string.format ${counts}` };
}

function clauseIssue(verb: string, element: Expr, type: CelType): CelIssue | undefined {
  const [kinds, rule] = CLAUSES[verb] ?? [];
  if (kinds === undefined || type.kind === 'dyn' || type.kind === 'param' || kinds.includes(type.kind))
    return undefined;
  const isSpecial = (verb === 'f' || verb === 'e') && type.kind === 'string';
  if (isSpecial) return undefined;
  return { at: element.at, message: `error during formatting: ${rule}, was given ${type.name}` };
}
