/** Functions of strings: those of CEL, those of its strings extension, and Kubernetes' regular expressions. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { CelCostExceeded, CelFailure } from '#kube/cel/errors.ts';
import { formatText, quoteText } from '#kube/cel/library/text-format.ts';
import { checkTextSize, joinTexts } from '#kube/cel/library/text-size.ts';
import { ArrayList, type CelList, elementsOf, type Value } from '#kube/cel/values.ts';
import type { Work } from '#kube/cel/work.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compilePattern, MatchTooCostly, type Pattern } from '#kube/re2.ts';

type Run = (text: string, ...args: never[]) => Value;

function ofText(id: string, signature: string, run: Run): Overload {
  return overload(id, signature, ([text, ...args]) => run(text as string, ...(args as never[])));
}

/** Positions count code points. */
const runes = (text: string) => [...text];

function charAt(text: string, position: bigint): string {
  const letters = runes(text);
  if (position < 0n || position > BigInt(letters.length)) throw outOfRange(position);
  return letters[Number(position)] ?? '';
}

function outOfRange(position: bigint): CelFailure {
  return new CelFailure(`index out of range: ${position}`);
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const letters = runes(text);
  if (part === '') return from;
  if (from < 0n || from >= BigInt(letters.length)) {
    if (from === 0n || from === BigInt(letters.length)) return -1n;
    throw outOfRange(from);
  }
  const skipped = letters.slice(0, Number(from)).join('').length;
  return runePosition(text, text.indexOf(part, skipped));
}

function runePosition(text: string, found: number): bigint {
  return found < 0 ? -1n : BigInt(runes(text.slice(0, found)).length);
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const letters = runes(text);
  if (part === '') return from ?? BigInt(letters.length);
  if (from === undefined) return runePosition(text, text.lastIndexOf(part));
  if (from < 0n || from >= BigInt(letters.length)) throw outOfRange(from);
  return runePosition(text, text.lastIndexOf(part, letters.slice(0, Number(from)).join('').length));
}

function substring(text: string, start: bigint, end?: bigint): string {
  const letters = runes(text);
  const length = BigInt(letters.length);
  if (end !== undefined && start > end) {
    throw new CelFailure(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0n || start > length) throw outOfRange(start);
  if (end !== undefined && (end < 0n || end > length)) throw outOfRange(end);
  return letters.slice(Number(start), end === undefined ? undefined : Number(end)).join('');
}

function replace(text: string, old: string, fresh: string, limit = -1n): string {
  const pieces = old === '' ? ['', ...runes(text), ''] : text.split(old);
  const most = limit < 0n ? pieces.length - 1 : Math.min(Number(limit), pieces.length - 1);
  checkTextSize(text.length + most * fresh.length);
  const [first = '', ...rest] = pieces;
  return rest.reduce((made, piece, position) => made + (position < most ? fresh : old) + piece, first);
}

function split(text: string, separator: string, limit = -1n): Value {
  if (limit === 0n) return new ArrayList([]);
  const pieces = separator === '' ? runes(text) : text.split(separator);
  if (limit < 0n || BigInt(pieces.length) <= limit) return new ArrayList(pieces);
  const kept = pieces.slice(0, Number(limit) - 1);
  return new ArrayList([...kept, pieces.slice(kept.length).join(separator)]);
}

function join(list: CelList, separator = ''): string {
  const texts = [...elementsOf(list)].map((element) => {
    if (typeof element !== 'string') throw new CelFailure('join: invalid input');
    return element;
  });
  return joinTexts(texts, separator);
}

function mapAscii(text: string, range: RegExp, map: (letter: string) => string): string {
  return text.replaceAll(range, map);
}

function patternOf(text: string): Pattern {
  const pattern = compilePattern(text);
  if (pattern instanceof ParseError) throw new CelFailure(`Illegal regex: ${pattern.message}`);
  return pattern;
}

interface Matching {
  readonly pattern: Pattern;
  readonly text: string;
  /** Most matches; all when it is negative. */
  readonly limit: number;
  readonly work: Work;
}

type Match = (matching: Matching) => Value;

/** Matches pay for their work out of what the evaluation has. */
function ofPattern(id: string, signature: string, match: Match): Overload {
  return overload(id, signature, ([text, pattern, limit = -1n], work) => {
    try {
      return match({ pattern: patternOf(pattern as string), text: text as string, limit: Number(limit), work });
    } catch (error) {
      if (error instanceof MatchTooCostly) throw new CelCostExceeded('operation cancelled: actual cost limit exceeded');
      throw error;
    }
  });
}

const matches: Match = ({ pattern, text, work }) => pattern.occursIn(text, work);
const find: Match = ({ pattern, text, work }) => pattern.findAll(text, 1, work)[0] ?? '';
const findAll: Match = ({ pattern, text, limit, work }) => new ArrayList(pattern.findAll(text, limit, work));

const PATTERNS: readonly Overload[] = [
  ofPattern('matches', 'matches(string, string): bool', matches),
  ofPattern('matches_string', '.matches(string, string): bool', matches),
  ofPattern('string_find_string', '.find(string, string): string', find),
  ofPattern('string_find_all_string', '.findAll(string, string): list(string)', findAll),
  ofPattern('string_find_all_string_int', '.findAll(string, string, int): list(string)', findAll),
];

export const TEXTS: readonly Overload[] = [
  ofText('contains_string', '.contains(string, string): bool', (text, part: string) => text.includes(part)),
  ofText('ends_with_string', '.endsWith(string, string): bool', (text, part: string) => text.endsWith(part)),
  ofText('starts_with_string', '.startsWith(string, string): bool', (text, part: string) => text.startsWith(part)),
  ofText('string_char_at_int', '.charAt(string, int): string', charAt),
  ofText('string_index_of_string', '.indexOf(string, string): int', indexOf),
  ofText('string_index_of_string_int', '.indexOf(string, string, int): int', indexOf),
  ofText('string_last_index_of_string', '.lastIndexOf(string, string): int', lastIndexOf),
  ofText('string_last_index_of_string_int', '.lastIndexOf(string, string, int): int', lastIndexOf),
  ofText('string_lower_ascii', '.lowerAscii(string): string', (text) =>
    mapAscii(text, /[A-Z]+/g, (part) => part.toLowerCase()),
  ),
  ofText('string_upper_ascii', '.upperAscii(string): string', (text) =>
    mapAscii(text, /[a-z]+/g, (part) => part.toUpperCase()),
  ),
  ofText('string_replace_string_string', '.replace(string, string, string): string', replace),
  ofText('string_replace_string_string_int', '.replace(string, string, string, int): string', replace),
  ofText('string_split_string', '.split(string, string): list(string)', split),
  ofText('string_split_string_int', '.split(string, string, int): list(string)', split),
  ofText('string_substring_int', '.substring(string, int): string', substring),
  ofText('string_substring_int_int', '.substring(string, int, int): string', substring),
  ofText('string_trim', '.trim(string): string', (text) => text.trim()),
  ofText('string_format', '.format(string, list(dyn)): string', (text, args: CelList) => formatText(text, args)),
  ofText('strings_quote', 'strings.quote(string): string', (text) => quoteText(text)),
  overload('list_join', '.join(list(string)): string', ([list]) => join(list as CelList)),
  overload('list_join_string', '.join(list(string), string): string', ([list, separator]) => {
    return join(list as CelList, separator as string);
  }),
  ...PATTERNS,
];
