/**
 * Paths to a field as rules and selectable fields write them: `.spec.replicas`, `.labels['a.b/c']`. Each step must be
 * in the schema.
 */
import { child, entry } from '#kube/field-error.ts';
import { ParseError } from '#kube/parse-error.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

export interface FoundField {
  /** As errors write it: `spec.replicas`, `labels[a.b/c]`. */
  readonly path: string;
  /** Undefined below values of which the schema says nothing. */
  readonly schema: JsonSchema | undefined;
}

export interface FieldPathOptions {
  readonly allowsBrackets: boolean;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ["'", "'"],
  ['\\', '\\'],
]);
const NO_FIELD = 'does not refer to a valid field';
const UNEXPECTED_END = 'unexpected end of JSON path';

export function fieldAt(
  schema: JsonSchema,
  text: string,
  options: FieldPathOptions = { allowsBrackets: true },
): FoundField | ParseError {
  let found: FoundField = { path: '', schema };
  const tokens = tokenize(text);
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    const name = stepName(token, tokens, options);
    if (name instanceof ParseError) return name;
    const next = step(found, name);
    if (next instanceof ParseError) return next;
    found = next;
  }
  return found;
}

/** Dots and brackets, and the names and quoted names between them. */
function tokenize(text: string): string[] {
  return text.match(/'(?:[^'\\]|\\[^])*'|[.[\]]|[^.[\]']+|'/g) ?? [];
}

function stepName(token: string, rest: string[], options: FieldPathOptions): string | ParseError {
  if (token === '.') return rest.shift() ?? new ParseError(UNEXPECTED_END);
  if (token !== '[') return new ParseError(`expected [ or . but got: ${token}`);
  if (!options.allowsBrackets) return new ParseError('array notation is not allowed');
  const quoted = rest.shift();
  if (quoted === undefined) return new ParseError(UNEXPECTED_END);
  if (!/^'[^]*'$/.test(quoted) || quoted.length < 2) {
    return new ParseError(`expected single quoted string but got ${quoted}`);
  }
  const closing = rest.shift();
  if (closing === undefined) return new ParseError(UNEXPECTED_END);
  return closing === ']' ? unquote(quoted) : new ParseError(`expected ] but got ${closing}`);
}

function unquote(quoted: string): string | ParseError {
  const inner = quoted.slice(1, -1);
  const unknown = inner.match(/\\[^]/g)?.find((escape) => !ESCAPES.has(escape.charAt(1)));
  if (unknown !== undefined) return new ParseError(`invalid string literal: invalid escape char ${unknown}`);
  return inner.replaceAll(/\\([^])/g, (_escape, letter: string) => ESCAPES.get(letter) ?? letter);
}

function step({ path, schema }: FoundField, name: string): FoundField | ParseError {
  if (schema !== undefined && schema.properties.size > 0) {
    const member = schema.properties.get(name);
    return member ? { path: child(path, name), schema: member } : new ParseError(NO_FIELD);
  }
  if (schema?.additionalProperties === undefined) return new ParseError(NO_FIELD);
  return { path: entry(path, name), schema: additionalSchema(schema) };
}
