/**
 * Reads label selectors in text form, as in `?labelSelector=a=b,c in (d,e),!f`. Errors are Kubernetes' own words,
 * which clients show to people. The grammar is as lenient as Kubernetes' is: blanks are free, a value may be left
 * out, `in` and `notin` are words like any other where a key or value is expected.
 */
import { type FieldError, invalidField } from '#kube/field-error.ts';
import { labelValueProblems, qualifiedNameProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted and distinct. */
  readonly values: readonly string[];
}

type TokenType = 'end' | 'word' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';

interface Token {
  readonly type: TokenType;
  readonly text: string;
}

const TOKEN = /[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^=!(),<> \t\r\n]+))/y;
const OPERATORS: Readonly<Partial<Record<TokenType, SelectorOperator>>> = {
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};
const END: Token = { type: 'end', text: '' };

/** The requirements in the order of their keys. */
export function parseRequirements(text: string): Requirement[] {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  for (let token = tokens.peek(); token.type !== 'end'; token = tokens.peek()) {
    if (token.type !== 'word' && token.type !== '!') {
      throw new ParseError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(tokens));
    expectSeparator(tokens);
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

class Tokens {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  peek(): Token {
    return this.#tokens[this.#position] ?? END;
  }

  next(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const expression = new RegExp(TOKEN);
  for (let match = expression.exec(text); match; match = expression.exec(text)) {
    const [, symbol, word = ''] = match;
    tokens.push(symbol === undefined ? { type: 'word', text: word } : { type: symbol as TokenType, text: symbol });
  }
  return tokens;
}

function expectSeparator(tokens: Tokens): void {
  const separator = tokens.next();
  if (separator.type === 'end') return;
  if (separator.type !== ',') {
    throw new ParseError(`found '${separator.text}', expected: ',' or 'end of string'`);
  }
  const after = tokens.peek();
  if (after.type !== 'word' && after.type !== '!') {
    throw new ParseError(`found '${after.text}', expected: identifier after ','`);
  }
}

function parseRequirement(tokens: Tokens): Requirement {
  const isNegated = tokens.peek().type === '!';
  if (isNegated) tokens.next();
  const key = tokens.next();
  if (key.type !== 'word') throw unreadable(`found '${key.text}', expected: identifier`);
  refuse(keyErrors(key.text, ''));
  const { type } = tokens.peek();
  if (isNegated) return checked({ key: key.text, operator: '!', values: [] });
  if (type === 'end' || type === ',') return checked({ key: key.text, operator: 'exists', values: [] });
  const operator = parseOperator(tokens.next());
  const values = operator === 'in' || operator === 'notin' ? parseValues(tokens) : [parseValue(tokens)];
  return checked({ key: key.text, operator, values: [...new Set(values)].sort() });
}

function parseOperator({ type, text }: Token): SelectorOperator {
  if (type === 'word' && (text === 'in' || text === 'notin')) return text;
  const operator = OPERATORS[type];
  if (operator === undefined) throw unreadable(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  return operator;
}

function parseValue(tokens: Tokens): string {
  const { type } = tokens.peek();
  if (type === 'end' || type === ',') return '';
  const value = tokens.next();
  if (value.type !== 'word') throw unreadable(`found '${value.text}', expected: identifier`);
  return value.text;
}

/** `(a,b)`; between two commas, and before or after one, there may be nothing, which is the empty value. */
function parseValues(tokens: Tokens): string[] {
  const open = tokens.next();
  if (open.type !== '(') throw unreadable(`found '${open.text}' expected: '('`);
  const { type, text } = tokens.peek();
  if (type !== ')' && type !== 'word' && type !== ',') {
    throw unreadable(`found '${text}', expected: ',', ')' or identifier`);
  }
  const values: string[] = [];
  for (;;) {
    const value = tokens.peek();
    if (value.type === 'word') tokens.next();
    values.push(value.type === 'word' ? value.text : '');
    const separator = tokens.next();
    if (separator.type === ')') return values;
    if (separator.type === ',') continue;
    const expected = value.type === 'word' ? "',' or ')'" : "',', or identifier";
    throw unreadable(`found '${separator.text}', expected: ${expected}`);
  }
}

function unreadable(message: string): ParseError {
  return new ParseError(`unable to parse requirement: ${message}`);
}

function checked(requirement: Requirement): Requirement {
  refuse(requirementErrors(requirement));
  return requirement;
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw unreadable(joinErrors(errors));
}

/** What is wrong with the words of a requirement: its key, its values, numbers where numbers are due. */
export function requirementErrors({ key, operator, values }: Requirement): FieldError[] {
  const errors = keyErrors(key, 'key');
  const isNumeric = operator === 'gt' || operator === 'lt';
  for (const [position, value] of values.entries()) {
    if (!isNumeric || parseInt64(value) !== undefined) continue;
    const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
    errors.push(invalidField(`values[${position}]`, value, detail));
  }
  for (const [position, value] of values.entries()) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalidField(`values[${position}][${key}]`, value, problems.join('; ')));
  }
  return errors;
}

function keyErrors(key: string, path: string): FieldError[] {
  const problems = qualifiedNameProblems(key);
  return problems.length === 0 ? [] : [invalidField(path, key, problems.join('; '))];
}

export function joinErrors(errors: readonly FieldError[]): string {
  const texts = errors.map(({ field, message }) => `${field || '<nil>'}: ${message}`);
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** A whole number of 64 bits, or undefined. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,19}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
