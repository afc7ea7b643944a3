/** Field selectors, as in `?fieldSelector=metadata.name=a,status.phase!=Running`: equality only. */
import { attempt, ParseError } from '#kube/parse-error.ts';

export interface FieldTerm {
  readonly field: string;
  readonly value: string;
  /** False for `!=`. */
  readonly isEqual: boolean;
}

/** All terms must hold. */
export type FieldSelector = readonly FieldTerm[];

/** Errors are in Kubernetes' words. A term without field and value says nothing. */
export function parseFieldSelector(text: string): FieldSelector | ParseError {
  const terms = splitTerms(text).sort();
  return attempt(() =>
    terms.map((term) => parseTerm(term, text)).filter(({ field, value }) => field !== '' || value !== ''),
  );
}

/** Splits at commas, except after a backslash. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\[^]?|[^,\\])+/g) ?? [];
}

function parseTerm(term: string, selector: string): FieldTerm {
  const match = /^(?<field>[^]*?)(?<operator>!=|==|=)(?<value>[^]*)$/.exec(term)?.groups;
  if (!match) throw new ParseError(`invalid selector: '${selector}'; can't understand '${term}'`);
  const { field = '', operator, value = '' } = match;
  return { field, value: unescape(value), isEqual: operator !== '!=' };
}

function unescape(value: string): string {
  return value.replace(/\\([^]?)|[,=]/g, (matched, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw new ParseError(`invalid field selector: unescaped character in value: ${matched.charCodeAt(0)}`);
    }
    if (escaped === '\\' || escaped === ',' || escaped === '=') return escaped;
    throw new ParseError(`invalid field selector: invalid escape sequence: ${matched}`);
  });
}

/** `fields` holds the values that the object's kind offers; one that it does not have counts as empty. */
export function matchesFields(selector: FieldSelector, fields: Readonly<Record<string, string>>): boolean {
  return selector.every(({ field, value, isEqual }) => {
    const actual = Object.hasOwn(fields, field) ? fields[field] : '';
    return (actual === value) === isEqual;
  });
}

/** The one value that the selector demands of `field`, if it does. */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((term) => term.isEqual && term.field === field)?.value;
}
