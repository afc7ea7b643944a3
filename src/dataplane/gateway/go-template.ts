/**
 * The part of Go's text/template that request-log templates use: text, `{{.A.B}}`, and the functions `js`, `html`,
 * `urlquery`, `print`, `index` and `printf "%s"` over such values. Compiled once; a template that uses more is refused
 * with the piece that is not understood, and nothing is logged.
 */
export type TemplateValue = string | number | boolean | { readonly [name: string]: unknown };
export type Template = (data: TemplateValue) => string;

type Part = (data: unknown) => string;
type Term = (data: unknown) => unknown;

const ACTION = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/gs;
const WORD = /"(?:[^"\\]|\\.)*"|`[^`]*`|\([^()]*\)|\||[^\s|()]+/g;

/** The compiled template, or the piece that it failed on. */
export function compileTemplate(source: string): Template | { readonly unsupported: string } {
  const parts: Part[] = [];
  let end = 0;
  let trimNext = false;
  for (const match of source.matchAll(ACTION)) {
    let text = source.slice(end, match.index);
    if (trimNext) text = text.trimStart();
    if (match[1] === '-') text = text.trimEnd();
    parts.push(literal(text));
    trimNext = match[3] === '-';
    end = match.index + match[0].length;
    if ((match[2] ?? '').startsWith('/*')) continue;
    const term = pipeline(match[2] ?? '');
    if (!term) return { unsupported: match[0] };
    parts.push((data) => print(term(data)));
  }
  const rest = source.slice(end);
  if (rest.includes('{{')) return { unsupported: rest };
  parts.push(literal(trimNext ? rest.trimStart() : rest));
  return (data) => parts.map((part) => part(data)).join('');
}

const literal =
  (text: string): Part =>
  () =>
    text;

function pipeline(source: string): Term | undefined {
  const commands: string[][] = [[]];
  for (const word of source.match(WORD) ?? []) {
    if (word === '|') commands.push([]);
    else commands.at(-1)?.push(word);
  }
  let term: Term | undefined;
  for (const words of commands) {
    const next = command(words, term);
    if (!next) return undefined;
    term = next;
  }
  return term;
}

function command(words: readonly string[], piped: Term | undefined): Term | undefined {
  const [first = '', ...rest] = words;
  const call = FUNCTIONS[first];
  if (!call) return rest.length === 0 && !piped ? operand(first) : undefined;
  const terms = rest.map(operand);
  if (terms.some((term) => !term)) return undefined;
  const all = [...(terms as Term[]), ...(piped ? [piped] : [])];
  return (data) => call(...all.map((term) => term(data)));
}

function operand(word: string): Term | undefined {
  if (word.startsWith('(')) return pipeline(word.slice(1, -1));
  if (word.startsWith('"')) return constant(word);
  if (word.startsWith('`')) return () => word.slice(1, -1);
  if (/^-?\d+(\.\d+)?$/.test(word)) return () => Number(word);
  if (word === '.') return (data) => data;
  if (!/^(\.[A-Za-z_]\w*)+$/.test(word)) return undefined;
  const names = word.slice(1).split('.');
  return (data) => names.reduce<unknown>(member, data);
}

function constant(word: string): Term | undefined {
  try {
    const value: unknown = JSON.parse(word);
    return () => value;
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const FUNCTIONS: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  js: (...values) => escapeJs(values.map(print).join('')),
  html: (...values) => escapeHtml(values.map(print).join('')),
  urlquery: (...values) => encodeURIComponent(values.map(print).join('')),
  print: (...values) => values.map(print).join(''),
  printf: (format, ...values) => print(format).replaceAll(/%[svdq]/g, () => print(values.shift())),
  index: (...path) => path.slice(1).reduce((value, key) => indexed(value, key), path[0]),
};

function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return member(value, print(key));
}

/** As Go prints a value: a list in brackets, nothing as `<no value>`. */
function print(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (typeof value === 'object') return JSON.stringify(value);
  return `${value as string | number | boolean}`;
}

const JS_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(text: string): string {
  return text.replaceAll(/[\\'"<>&=]|\p{Cc}/gu, (character) => {
    return JS_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
