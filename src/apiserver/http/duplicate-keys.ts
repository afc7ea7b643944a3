/**
 * Keys that stand more than once in one object of a JSON text. Almost no text has any, so first the keys are only
 * counted, in the text and in the parsed value; a difference sends a slow reader over it.
 */
import { getMember, isObject, setMember } from '#base/json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** `text` is valid JSON and `value` what `JSON.parse` makes of it. */
export function hasDuplicateKeys(text: string, value: unknown): boolean {
  return countInText(text) !== countMembers(value);
}

/** Colons outside strings: one per key. */
function countInText(text: string): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === COLON) count += 1;
  }
  return count;
}

function countMembers(value: unknown): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const one of value) count += countMembers(one);
  } else if (isObject(value)) {
    for (const key in value) count += 1 + countMembers(value[key]);
  }
  return count;
}

/** `merged`: two objects under one key become one, as when Go decodes into a struct; else the last value counts. */
export type Policy = 'merged' | 'last';

/** The value of a valid text, and the paths of its repeated keys, such as `data.a` or `spec.list[0].b`. */
export function parseDuplicates(text: string, policy: Policy): { value: unknown; duplicates: string[] } {
  const reader = new Reader(text, policy);
  return { value: reader.value(''), duplicates: reader.duplicates };
}

class Reader {
  readonly duplicates: string[] = [];
  readonly #text: string;
  readonly #policy: Policy;
  #at = 0;

  constructor(text: string, policy: Policy) {
    this.#text = text;
    this.#policy = policy;
  }

  value(path: string): unknown {
    this.#blanks();
    const letter = this.#text[this.#at];
    if (letter === '{') return this.#object(path);
    if (letter === '[') return this.#array(path);
    return JSON.parse(letter === '"' ? this.#string() : this.#bare()) as unknown;
  }

  #object(path: string): unknown {
    const object: Record<string, unknown> = {};
    this.#each('}', () => {
      const key = JSON.parse(this.#string()) as string;
      const member = path === '' ? key : `${path}.${key}`;
      const before = getMember(object, key);
      if (Object.hasOwn(object, key)) this.duplicates.push(member);
      this.#blanks();
      this.#at += 1;
      const value = this.value(member);
      const isMerged = this.#policy === 'merged' && isObject(before) && isObject(value);
      setMember(object, key, isMerged ? { ...before, ...value } : value);
    });
    return object;
  }

  #array(path: string): unknown {
    const list: unknown[] = [];
    this.#each(']', () => list.push(this.value(`${path}[${list.length}]`)));
    return list;
  }

  #each(end: string, read: () => void): void {
    this.#at += 1;
    this.#blanks();
    while (this.#text[this.#at] !== end) {
      read();
      this.#blanks();
      if (this.#text[this.#at] === ',') this.#at += 1;
      this.#blanks();
    }
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#text[this.#at] !== '"') this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #bare(): string {
    const start = this.#at;
    while (/[^\s,\]}]/.test(this.#text[this.#at] ?? ' ')) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}
