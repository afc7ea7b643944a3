/** Words of an expression. Literals are read here, with their escapes; errors name a place. */
import { CelCompileError, type CelIssue } from '#kube/cel/errors.ts';
import { Uint, type Value } from '#kube/cel/values.ts';

export type Token =
  | { readonly kind: 'ident' | 'symbol' | 'reserved' | 'end'; readonly text: string; readonly at: number }
  | { readonly kind: 'literal'; readonly text: string; readonly at: number; readonly value: Value };

const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const MAX_INT64 = 2n ** 63n;
const MAX_UINT64 = 2n ** 64n;

const BLANK = /(?:[\t\n\f\r ]|\/\/[^\n]*)+/y;
const NUMBER =
  /(?:0x[0-9a-fA-F]+u?|[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[uU]?)/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const TEXT = /([rRbB]{0,2})("""|'''|"|')/y;
const SYMBOL = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}=]/y;

export interface Tokens {
  readonly tokens: readonly Token[];
  /** What is no word, and was passed over. */
  readonly issues: readonly CelIssue[];
}

export function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  const issues: CelIssue[] = [];
  for (let at = 0; at < text.length;) {
    const blank = match(BLANK, text, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token = readToken(text, at);
    if (typeof token === 'string') issues.push({ at, message: `Syntax error: token recognition error at: '${token}'` });
    else tokens.push(token);
    at += typeof token === 'string' ? token.length : token.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: text.length });
  return { tokens, issues };
}

function match(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** The word at a place, or the letters there that are none. */
function readToken(text: string, at: number): Token | string {
  if (match(TEXT, text, at) !== undefined) {
    const literal = readText(text, at);
    if (literal) return literal;
  }
  const number = match(NUMBER, text, at);
  if (number !== undefined) return { kind: 'literal', text: number, at, value: readNumber(text, at, number) };
  const ident = match(IDENT, text, at);
  if (ident !== undefined) return identToken(ident, at);
  const symbol = match(SYMBOL, text, at);
  if (symbol !== undefined && symbol !== '=') return { kind: 'symbol', text: symbol, at };
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function identToken(text: string, at: number): Token {
  const literals: Readonly<Record<string, Value>> = { true: true, false: false, null: null };
  if (Object.hasOwn(literals, text)) return { kind: 'literal', text, at, value: literals[text] ?? null };
  if (text === 'in') return { kind: 'symbol', text, at };
  return { kind: RESERVED.has(text) ? 'reserved' : 'ident', text, at };
}

function readNumber(text: string, at: number, number: string): Value {
  if (number.startsWith('0x') || /^[0-9]+[uU]?$/.test(number)) {
    const isUint = /u$/i.test(number);
    const value = BigInt(isUint ? number.slice(0, -1) : number);
    // The least int is written with its sign: -9223372036854775808.
    if (value > (isUint ? MAX_UINT64 - 1n : MAX_INT64)) {
      throw new CelCompileError(text, [{ at, message: `invalid ${isUint ? 'uint' : 'int'} literal` }]);
    }
    return isUint ? new Uint(value) : value;
  }
  const value = Number(number);
  if (!Number.isFinite(value)) throw new CelCompileError(text, [{ at, message: 'invalid double literal' }]);
  return value;
}

/** A string or bytes; undefined when what looked like a prefix is a name; the rest of the text when it has no end. */
function readText(text: string, at: number): Token | string | undefined {
  TEXT.lastIndex = at;
  const [opening = '', prefix = '', quote = ''] = TEXT.exec(text) ?? [];
  const isRaw = /r/i.test(prefix);
  if (/^(?:rr|bb)$/i.test(prefix)) return undefined;
  const end = closing(text, at + opening.length, { quote, isRaw });
  if (end < 0) return text.slice(at);
  const written = text.slice(at + opening.length, end).replaceAll('\r\n', '\n');
  const isBytes = /b/i.test(prefix);
  // Escapes in bytes are single bytes, letters are their UTF-8: one letter per byte makes them alike.
  const inner = isBytes ? Buffer.from(written).toString('latin1') : written;
  const value = isRaw ? inner : unescape(inner, { isBytes, text, at });
  const whole = text.slice(at, end + quote.length);
  return { kind: 'literal', text: whole, at, value: isBytes ? Uint8Array.from(Buffer.from(value, 'latin1')) : value };
}

function closing(text: string, from: number, { quote, isRaw }: { quote: string; isRaw: boolean }): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith(quote, at)) return at;
    if (quote.length === 1 && text[at] === '\n') return -1;
    if (text[at] === '\\' && !isRaw) at += 1;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  "'": "'",
  '`': '`',
  '?': '?',
  '\\': '\\',
};
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|([^]))/g;

interface Reading {
  readonly isBytes: boolean;
  readonly text: string;
  readonly at: number;
}

function unescape(inner: string, { isBytes, text, at }: Reading): string {
  const invalid = () =>
    new CelCompileError(text, [{ at, message: 'invalid string literal: unable to unescape string' }]);
  return inner.replaceAll(ESCAPE, (_all, ...groups: (string | undefined)[]) => {
    const [short, long, hex, octal, letter = ''] = groups;
    const code = short ?? long;
    if (code !== undefined) {
      const point = Number.parseInt(code, 16);
      if (isBytes || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw invalid();
      return String.fromCodePoint(point);
    }
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const known = ESCAPES[letter];
    if (known === undefined) throw invalid();
    return known;
  });
}
