/**
 * One step of a path through an object, in the form that FieldsV1 gives it:
 *
 *     f:spec                   a member
 *     k:{"name":"app"}         the element of a list with these keys
 *     v:"a"                    the value in a set
 *     i:0                      the element at an index
 *
 * The text is canonical, so two steps are the same when their texts are.
 */
import { isObject } from '#base/json.ts';
import { goValue } from '#kube/go-text.ts';

export type PathElement = string;
export type Path = readonly PathElement[];

export function memberElement(name: string): PathElement {
  return `f:${name}`;
}

export function keyElement(keys: Readonly<Record<string, unknown>>): PathElement {
  const names = Object.keys(keys).sort();
  return `k:{${names.map((name) => `${goJson(name)}:${goJson(keys[name])}`).join(',')}}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${goJson(value)}`;
}

/** The member's name, or undefined for the other sorts. */
export function memberName(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

export function isKeyElement(element: PathElement): boolean {
  return element.startsWith('k:');
}

/** JSON as Go writes it: with the letters escaped that HTML gives a meaning. */
function goJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * The canonical form of a step that a client sent. Undefined for a sort that we do not know, which is to be skipped;
 * throws a SyntaxError for one that cannot be read.
 */
export function readPathElement(text: string): PathElement | undefined {
  if (text.length < 2 || text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`);
  const content = text.slice(2);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(JSON.parse(content));
    case 'k': {
      const keys: unknown = JSON.parse(content);
      if (!isObject(keys)) throw new SyntaxError(`not a key: ${text}`);
      return keyElement(keys);
    }
    case 'i':
      if (!/^-?[0-9]+$/.test(content)) throw new SyntaxError(`not an index: ${text}`);
      return text;
    default:
      return undefined;
  }
}

const SORT_ORDER = 'fkvi';

/** The order in which conflicts are listed: members, keys, values, indexes; each by what it holds. */
export function comparePathElements(left: PathElement, right: PathElement): number {
  const sorts = SORT_ORDER.indexOf(left.charAt(0)) - SORT_ORDER.indexOf(right.charAt(0));
  if (sorts !== 0) return sorts;
  if (left.startsWith('f:')) return compareTexts(left, right);
  const [a, b] = [JSON.parse(left.slice(2)) as unknown, JSON.parse(right.slice(2)) as unknown];
  return isObject(a) && isObject(b) ? compareKeys(a, b) : compareValues(a, b);
}

function compareKeys(left: Record<string, unknown>, right: Record<string, unknown>): number {
  const [a, b] = [Object.entries(left), Object.entries(right)];
  for (const [position, [name, value]] of a.entries()) {
    const other = b[position];
    if (other === undefined) return 1;
    const order = compareTexts(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const VALUE_ORDER = ['number', 'string', 'boolean'];

function compareValues(left: unknown, right: unknown): number {
  const sorts = VALUE_ORDER.indexOf(typeof left) - VALUE_ORDER.indexOf(typeof right);
  if (sorts !== 0) return sorts;
  return typeof left === 'string' ? compareTexts(left, String(right)) : Number(left) - Number(right);
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** As error messages show it: `.spec.hosts[="a"]`, `.spec.containers[name="app"].image`. */
export function formatPath(path: Path): string {
  return path.map(formatPathElement).join('');
}

export function formatPathElement(element: PathElement): string {
  const content = element.slice(2);
  if (element.startsWith('f:')) return `.${content}`;
  if (element.startsWith('i:')) return `[${content}]`;
  const value = JSON.parse(content) as unknown;
  if (element.startsWith('v:')) return `[=${formatValue(value)}]`;
  const keys = Object.entries(value as Record<string, unknown>);
  return `[${keys.map(([name, one]) => `${name}=${formatValue(one)}`).join(',')}]`;
}

function formatValue(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'string' ? JSON.stringify(value) : goValue(value);
}
