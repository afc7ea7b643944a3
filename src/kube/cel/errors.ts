/** What can go wrong with an expression: before it runs (issues, with a place), and while it runs (failures). */

/** A failure of evaluation. `&&`, `||` and quantifiers may outvote it, so it can also be held as a value. */
export class CelFailure extends Error {
  override readonly name = 'CelFailure';
}

/** An evaluation that cost too much; nothing outvotes it. */
export class CelCostExceeded extends Error {
  override readonly name = 'CelCostExceeded';
}

/** Places are offsets into the text of the expression. */
export interface CelIssue {
  readonly at: number;
  readonly message: string;
}

/** Issues that are listed; the others are counted. */
const MAX_ISSUES = 100;
/** Longest line that is quoted. */
const MAX_SNIPPET_LENGTH = 16_384;
const [DOT, MARK, WIDE_DOT, WIDE_MARK] = ['.', '^', '\u{ff0e}', '\u{ff3e}'];

/** An expression that cannot be run. The message names each place and quotes its line, as Kubernetes' does. */
export class CelCompileError extends Error {
  override readonly name = 'CelCompileError';
  readonly issues: readonly CelIssue[];

  constructor(text: string, issues: readonly CelIssue[]) {
    super(render(text, issues));
    this.issues = issues;
  }
}

/** An expression that converts a literal into what it cannot be. */
export class CelConstantError extends Error {
  override readonly name = 'CelConstantError';
}

function render(text: string, issues: readonly CelIssue[]): string {
  const sorted = [...issues].sort((left, right) => left.at - right.at);
  const shown = sorted.slice(0, MAX_ISSUES).map((issue) => renderIssue(text, issue));
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more errors were truncated`] : [])].join('\n');
}

function renderIssue(text: string, { at, message }: CelIssue): string {
  if (at < 0) return `ERROR: <input>:-1:0: ${message}`;
  const before = text.slice(0, at).split('\n');
  const line = text.split('\n')[before.length - 1] ?? '';
  const column = [...(before.at(-1) ?? '')].length;
  const head = `ERROR: <input>:${before.length}:${column + 1}: ${message}`;
  if (line.length > MAX_SNIPPET_LENGTH) return head;
  const letters = [...line.replaceAll('\t', ' ')];
  const dots = letters.slice(0, column).map((letter) => (isWide(letter) ? WIDE_DOT : DOT));
  const mark = isWide(letters[column] ?? '') ? WIDE_MARK : MARK;
  return `${head}\n | ${letters.join('')}\n | ${dots.join('')}${mark}`;
}

function isWide(letter: string): boolean {
  return Buffer.byteLength(letter) > 1;
}
