/** YAML of requests: values as Go's YAML reader makes them, and its words for what is wrong, as far as clients show them. */
import { isScalar, Lexer, LineCounter, parseDocument, visit, type YAMLMap, type YAMLParseError } from 'yaml';

/** YAML anchors may be used this often before it looks like an attack. */
const MAX_ALIASES = 100;

/** Brackets within brackets, and dashes after dashes on one line. */
const MAX_NESTING = 500;

export interface ParsedYaml {
  readonly value: unknown;
  /** `line 3: key "a" already set in map`. */
  readonly duplicates: readonly string[];
}

/** The first document of a text; an Error whose message says what is wrong with it. Takes time linear in its length. */
export function parseYaml(text: string): ParsedYaml | Error {
  const first = text.split(/^---[ \t]*$/m).find((one) => one.trim() !== '') ?? '';
  if (isNestedDeeply(first)) return new Error(`document is nested more than ${MAX_NESTING} levels deep`);
  const lineCounter = new LineCounter();
  // The parser's own search for keys that stand twice compares each with each.
  const options = { version: '1.1', merge: true, strict: true, uniqueKeys: false, lineCounter } as const;
  const document = parseDocument(first, options);
  const [error] = document.errors;
  if (error) return new Error(words(error), { cause: error });
  const found: string[][] = [];
  visit(document, { Map: (_, map) => void found.push(repeatedKeys(map, lineCounter)) });
  const duplicates = found.flat();
  try {
    const value = (document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) ?? {};
    return { value, duplicates };
  } catch (cause) {
    return new Error('document contains excessive aliasing', { cause });
  }
}

/** Looked at before the parser, which needs seconds for what is nested a million times. */
function isNestedDeeply(text: string): boolean {
  let brackets = 0;
  let dashes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') brackets += 1;
    else if (lexeme === ']' || lexeme === '}') brackets -= 1;
    else if (lexeme === '-' || lexeme === '?') dashes += 1;
    else if (lexeme.endsWith('\n')) dashes = 0;
    if (brackets > MAX_NESTING || dashes > MAX_NESTING) return true;
  }
  return false;
}

function repeatedKeys(map: YAMLMap, lines: LineCounter): string[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key) || key.value === MERGE) return [];
    if (!seen.has(key.value)) {
      seen.add(key.value);
      return [];
    }
    const { line } = lines.linePos(key.range?.[0] ?? 0);
    return [`line ${line}: key ${JSON.stringify(String(key.value))} already set in map`];
  });
}

/** The key of YAML 1.1 that takes over another map; it may stand more than once. */
const MERGE = '<<';

function words({ code, linePos, message }: YAMLParseError): string {
  const line = linePos?.[0].line ?? 1;
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return 'mapping values are not allowed in this context';
  if (code === 'TAB_AS_INDENT') return `line ${line}: found character that cannot start any token`;
  if (/^flow map/i.test(message)) return `line ${line}: did not find expected node content`;
  if (/^flow sequence/i.test(message)) return `line ${line}: did not find expected ',' or ']'`;
  return `line ${line}: ${message.split('\n')[0] ?? ''}`;
}
