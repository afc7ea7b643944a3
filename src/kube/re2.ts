/**
 * Regular expressions of users, in the syntax that Go's regexp package reads (RE2), matched in time linear in the text.
 * A JavaScript RegExp could be made to hang the control plane by whoever may write a schema; this one cannot.
 *
 * Untrusted input: patterns come from schemas and CEL rules, texts from objects. A pattern is limited in length and in
 * the size of what it compiles to, a match in its work (size of the program × length of the text), since linear may
 * still mean minutes. The engine is loaded with the first pattern: a platform without custom kinds pays nothing for it.
 */
import { createRequire } from 'node:module';
import { ParseError } from '#kube/parse-error.ts';

/** UTF-16 units of the pattern's text. */
export const MAX_PATTERN_LENGTH = 16_384;
/** Instructions that a pattern may compile to. */
const MAX_PROGRAM_SIZE = 20_000;
/** Instructions × UTF-16 units that one match may cost: half a second in the worst case that we know. */
export const MAX_MATCH_WORK = 16_000_000;
/** Compiled patterns that are kept. */
const MAX_CACHED = 512;

type Engine = typeof import('re2js');
type Compiled = ReturnType<Engine['RE2JS']['compile']>;

let engine: Engine | undefined;
const cache = new Map<string, Pattern | ParseError>();

/** In a bundle `require` leads to the copy inside it, in sources to the package; both are read when first called. */
function loadEngine(): Engine {
  engine ??= (typeof require === 'function' ? require('re2js') : createRequire(import.meta.url)('re2js')) as Engine;
  return engine;
}

/** A match that would take too long. */
export class MatchTooCostly extends Error {
  override readonly name = 'MatchTooCostly';
}

/** What a match may still cost; shared by the matches of one request. */
export interface MatchBudget {
  left: number;
}

export class Pattern {
  readonly #compiled: Compiled;
  readonly #size: number;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
    this.#size = compiled.programSize();
  }

  /** Whether the pattern occurs anywhere in the text. Throws `MatchTooCostly`. */
  occursIn(text: string, budget: MatchBudget = { left: MAX_MATCH_WORK }): boolean {
    this.#pay(text, budget);
    return this.#compiled.matcher(text).find();
  }

  /** The matches from the left, without overlaps; at most `limit` of them, or all when it is negative. */
  findAll(text: string, limit: number, budget: MatchBudget): string[] {
    this.#pay(text, budget);
    const matcher = this.#compiled.matcher(text);
    const found: string[] = [];
    while (found.length !== limit && matcher.find()) found.push(matcher.group() ?? '');
    return found;
  }

  #pay(text: string, budget: MatchBudget): void {
    budget.left -= this.#size * (text.length + 1);
    if (budget.left < 0) throw new MatchTooCostly('the pattern is too costly to match against this text');
  }
}

/** The pattern, or what Go's compiler says of it. */
export function compilePattern(text: string): Pattern | ParseError {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const compiled = compile(text);
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
  cache.set(text, compiled);
  return compiled;
}

function compile(text: string): Pattern | ParseError {
  if (text.length > MAX_PATTERN_LENGTH) return tooLarge();
  const { RE2JS, RE2JSException } = loadEngine();
  try {
    const compiled = RE2JS.compile(text);
    return compiled.programSize() > MAX_PROGRAM_SIZE ? tooLarge() : new Pattern(compiled);
  } catch (error) {
    if (error instanceof RE2JSException) return new ParseError(error.message);
    throw error;
  }
}

function tooLarge(): ParseError {
  return new ParseError('error parsing regexp: expression too large');
}
