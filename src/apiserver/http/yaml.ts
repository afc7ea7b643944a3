/** YAML of requests: values as Go's YAML reader makes them, and its words for what is wrong, as far as clients show them. */
import { parseDocument, type YAMLParseError } from 'yaml';

/** YAML anchors may be used this often before it looks like an attack. */
const MAX_ALIASES = 100;

/** The longest key that is shown whole. */
const MAX_KEY_LETTERS = 256;

const KEY = /^(?:"([^"]*)"|'([^']*)'|([^:,}\n]*))/;

export interface ParsedYaml {
  readonly value: unknown;
  /** `line 3: key "a" already set in map`. */
  readonly duplicates: readonly string[];
}

/** The first document of a text; an Error whose message says what is wrong with it. */
export function parseYaml(text: string): ParsedYaml | Error {
  const first = text.split(/^---[ \t]*$/m).find((one) => one.trim() !== '') ?? '';
  const document = parseDocument(first, { version: '1.1', merge: true, strict: true, prettyErrors: true });
  const { duplicates = [], others = [] } = Object.groupBy(document.errors, ({ code }) =>
    code === 'DUPLICATE_KEY' ? 'duplicates' : 'others',
  );
  const [error] = others;
  if (error) return new Error(words(error), { cause: error });
  try {
    const value = (document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) ?? {};
    return { value, duplicates: duplicates.map((duplicate) => repeated(first, duplicate)) };
  } catch (cause) {
    return new Error('document contains excessive aliasing', { cause });
  }
}

function repeated(text: string, { pos: [from, to], linePos }: YAMLParseError): string {
  const [, double, single, plain] = KEY.exec(text.slice(from, Math.max(to, from + MAX_KEY_LETTERS))) ?? [];
  const key = double ?? single ?? plain ?? '';
  return `line ${linePos?.[0].line ?? 1}: key ${JSON.stringify(key.trim())} already set in map`;
}

function words({ code, linePos, message }: YAMLParseError): string {
  const line = linePos?.[0].line ?? 1;
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return 'mapping values are not allowed in this context';
  if (code === 'TAB_AS_INDENT') return `line ${line}: found character that cannot start any token`;
  if (/^flow map/i.test(message)) return `line ${line}: did not find expected node content`;
  if (/^flow sequence/i.test(message)) return `line ${line}: did not find expected ',' or ']'`;
  return `line ${line}: ${message.split('\n')[0] ?? ''}`;
}
