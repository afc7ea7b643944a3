/**
 * Go's text/template, as far as Knative's ConfigMaps use it (domain-template, tag-template, container-name-template,
 * logging.request-log-template). What of the language is understood stands in `template-parse.ts`.
 *
 * Data is plain: an object made by `struct` refuses fields that it does not have, any other object is a map whose
 * missing keys print `<no value>`; a function is called with the operands that follow it. Errors carry Go's words,
 * since users see them when a ConfigMap is refused.
 */
import { unreachable } from '#base/assert.ts';
import { type Command, type Expression, type Node, parseNodes, type Pipeline } from '#knative/go/template-parse.ts';
import { formatFloat } from '#knative/go/numbers.ts';

const STRUCT = Symbol('name of the struct');

/** An object of which only the given members exist; `typeName` appears in errors (`config.DomainTemplateValues`). */
export function struct<T extends object>(typeName: string, fields: T): T {
  return { ...fields, [STRUCT]: typeName };
}

/** A parsed template. */
export interface Template {
  readonly source: string;
  /** The text, or the error in Go's words. */
  render(data: object): string | Error;
}

/** Reads a template, or answers the error in Go's words. */
export function parseTemplate(name: string, source: string): Template | Error {
  try {
    const nodes = parseNodes(name, source, new Set(Object.keys(FUNCTIONS)));
    return { source, render: (data) => render({ name, source, root: data }, nodes) };
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

interface Context {
  readonly name: string;
  readonly source: string;
  readonly root: unknown;
}

class RenderError extends Error {}

function render(context: Context, nodes: readonly Node[]): string | Error {
  try {
    return renderNodes(context, nodes, context.root);
  } catch (error) {
    if (error instanceof RenderError) return new Error(error.message);
    throw error;
  }
}

function renderNodes(context: Context, nodes: readonly Node[], dot: unknown): string {
  return nodes.map((node) => renderNode(context, node, dot)).join('');
}

function renderNode(context: Context, node: Node, dot: unknown): string {
  if (node.type === 'text') return node.text;
  const value = evaluatePipeline(context, node.pipeline, dot);
  if (node.type === 'action') return print(value);
  if (!isTrue(value)) return renderNodes(context, node.otherwise, dot);
  return renderNodes(context, node.body, node.type === 'with' ? value : dot);
}

function evaluatePipeline(context: Context, { commands }: Pipeline, dot: unknown): unknown {
  let piped: unknown[] = [];
  for (const command of commands) piped = [evaluateCommand(context, command, { dot, piped })];
  return piped[0];
}

interface Scope {
  readonly dot: unknown;
  /** The value of the command before, if there is one. */
  readonly piped: readonly unknown[];
}

function evaluateCommand(context: Context, { operands }: Command, { dot, piped }: Scope): unknown {
  const [first, ...rest] = operands;
  if (!first) return undefined;
  const args = [...rest.map((operand) => evaluate(context, operand, dot)), ...piped];
  if (first.type === 'function') return call(context, first, args);
  const value = evaluate(context, first, dot);
  if (typeof value === 'function') return (value as (...args: unknown[]) => unknown)(...args);
  if (args.length > 0) throw failure(context, first, `can't give argument to non-function ${first.source}`);
  return value;
}

function evaluate(context: Context, expression: Expression, dot: unknown): unknown {
  switch (expression.type) {
    case 'constant':
      return expression.value;
    case 'dot':
      return dot;
    case 'root':
      return context.root;
    case 'pipeline':
      return evaluatePipeline(context, expression.pipeline, dot);
    case 'function':
      return call(context, expression, []);
    case 'field':
      return field(context, expression, evaluate(context, expression.of, dot));
    default:
      return unreachable(expression);
  }
}

function field(context: Context, expression: Expression & { type: 'field' }, of: unknown): unknown {
  const { name } = expression;
  if (typeof of !== 'object' || of === null) {
    throw failure(context, expression, `can't evaluate field ${name} in type ${typeOf(of)}`);
  }
  if (Object.hasOwn(of, name)) return (of as Record<string, unknown>)[name];
  if (STRUCT in of) throw failure(context, expression, `can't evaluate field ${name} in type ${String(of[STRUCT])}`);
  return undefined;
}

function typeOf(value: unknown): string {
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return value === undefined || value === null ? '<nil>' : typeof value;
}

interface GoFunction {
  readonly fewest: number;
  readonly most?: number;
  readonly run: (args: readonly unknown[]) => unknown;
}

const FUNCTIONS: Readonly<Record<string, GoFunction>> = {
  and: { fewest: 1, run: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1) },
  or: { fewest: 1, run: (args) => args.find(isTrue) ?? args.at(-1) },
  not: { fewest: 1, most: 1, run: ([arg]) => !isTrue(arg) },
  eq: { fewest: 2, run: ([first, ...others]) => others.includes(first) },
  ne: { fewest: 2, most: 2, run: ([left, right]) => left !== right },
  index: { fewest: 1, run: ([from, ...keys]) => keys.reduce(indexed, from) },
  len: { fewest: 1, most: 1, run: ([arg]) => lengthOf(arg) },
  print: { fewest: 0, run: (args) => args.map(print).join('') },
  printf: { fewest: 1, run: ([format, ...args]) => formatted(print(format), args) },
  println: { fewest: 0, run: (args) => `${args.map(print).join(' ')}\n` },
  js: { fewest: 1, run: (args) => escapeForJavaScript(args.map(print).join('')) },
  html: { fewest: 1, run: (args) => escapeForHtml(args.map(print).join('')) },
  urlquery: { fewest: 1, run: (args) => encodeURIComponent(args.map(print).join('')).replaceAll('%20', '+') },
};

function call(context: Context, expression: Expression & { type: 'function' }, args: readonly unknown[]): unknown {
  const { name } = expression;
  const { fewest, most = Infinity, run } = FUNCTIONS[name] ?? { fewest: 0, run: () => undefined };
  if (args.length < fewest || args.length > most) {
    const wanted = most === fewest ? `want ${fewest}` : `want at least ${fewest}`;
    throw failure(context, expression, `wrong number of args for ${name}: ${wanted} got ${args.length}`);
  }
  return run(args);
}

/** Go's `index`: a key that a map lacks gives the empty text. */
function indexed(from: unknown, key: unknown): unknown {
  if (Array.isArray(from)) return from[Number(key)] ?? '';
  if (typeof from !== 'object' || from === null) return '';
  return (from as Record<string, unknown>)[String(key)] ?? '';
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return STRUCT in value || Object.keys(value).length > 0;
  return Boolean(value);
}

function print(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (typeof value === 'number') return formatFloat(value);
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return JSON.stringify(value) ?? '<func>';
  const entries = Object.entries(value).map(([key, entry]) => `${key}:${print(entry)}`);
  return `map[${entries.sort().join(' ')}]`;
}

/** %s %v %d %q and %%, which is all that a name or a log line asks for. */
function formatted(format: string, args: readonly unknown[]): string {
  const left = [...args];
  return format.replace(/%([svdq%])/g, (_, verb: string) => {
    if (verb === '%') return '%';
    if (left.length === 0) return `%!${verb}(MISSING)`;
    const text = print(left.shift());
    return verb === 'q' ? JSON.stringify(text) : text;
  });
}

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": String.raw`\'`,
  '"': String.raw`\"`,
  '<': String.raw`\u003C`,
  '>': String.raw`\u003E`,
  '&': String.raw`\u0026`,
  '=': String.raw`\u003D`,
};

function escapeForJavaScript(text: string): string {
  return text.replace(/[\\'"<>&=]|\p{Cc}/gu, (letter) => {
    const code = letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return JAVASCRIPT[letter] ?? `\\u${code}`;
  });
}

const HTML: Readonly<Record<string, string>> = { '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escapeForHtml(text: string): string {
  return text.replace(/["'&<>]/g, (letter) => HTML[letter] ?? letter);
}

function failure({ name, source }: Context, { at, source: shown }: Expression, what: string): RenderError {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  const column = at - (before.lastIndexOf('\n') + 1);
  return new RenderError(
    `template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${shown}>: ${what}`,
  );
}
