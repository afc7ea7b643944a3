/**
 * What Go says of a text that is not JSON: clients see these words in 400s. Only runs on texts that `JSON.parse` has
 * refused; the scan follows the grammar, not Go's own code.
 */

const END = 'unexpected end of JSON input';

class SyntaxFault extends Error {}

/** The first fault of `text`, which holds one byte per character. */
export function jsonSyntaxError(text: string): string {
  try {
    const scanner = new Scanner(text);
    scanner.value(0);
    scanner.end();
    return END;
  } catch (error) {
    if (error instanceof SyntaxFault) return error.message;
    throw error;
  }
}

/** Go goes ten times as deep; its stack grows. */
const MAX_DEPTH = 1_000;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): void {
    if (depth > MAX_DEPTH) throw new SyntaxFault('exceeded max depth');
    const letter = this.#peek();
    if (letter === '{') return this.#object(depth);
    if (letter === '[') return this.#array(depth);
    if (letter === '"') return this.#string();
    if (letter === '-' || isDigit(letter)) return this.#number();
    const word = ['true', 'false', 'null'].find((one) => one[0] === letter);
    if (word === undefined) throw this.#unexpected('looking for beginning of value');
    this.#word(word);
  }

  end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
  }

  #object(depth: number): void {
    this.#at += 1;
    if (this.#peek() === '}') return this.#skip();
    for (;;) {
      if (this.#peek() !== '"') throw this.#unexpected('looking for beginning of object key string');
      this.#string();
      if (this.#peek() !== ':') throw this.#unexpected('after object key');
      this.#at += 1;
      this.value(depth + 1);
      const next = this.#peek();
      if (next === '}') return this.#skip();
      if (next !== ',') throw this.#unexpected('after object key:value pair');
      this.#at += 1;
    }
  }

  #array(depth: number): void {
    this.#at += 1;
    if (this.#peek() === ']') return this.#skip();
    for (;;) {
      this.value(depth + 1);
      const next = this.#peek();
      if (next === ']') return this.#skip();
      if (next !== ',') throw this.#unexpected('after array element');
      this.#at += 1;
    }
  }

  #string(): void {
    this.#at += 1;
    for (; this.#current() !== '"'; this.#at += 1) {
      if (this.#current() < ' ') throw this.#unexpected('in string literal');
      if (this.#current() !== '\\') continue;
      this.#at += 1;
      if (this.#current() === 'u') this.#unicode();
      else if (!'bfnrt\\/"'.includes(this.#current())) throw this.#unexpected('in string escape code');
    }
    this.#at += 1;
  }

  #unicode(): void {
    for (let digits = 0; digits < 4; digits += 1) {
      this.#at += 1;
      if (!/[0-9a-fA-F]/.test(this.#current())) throw this.#unexpected(String.raw`in \u hexadecimal character escape`);
    }
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at += 1;
    if (!isDigit(this.#current())) throw this.#unexpected('in numeric literal');
    if (this.#current() === '0') this.#at += 1;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      if (!isDigit(this.#current())) throw this.#unexpected('after decimal point in numeric literal');
      this.#digits();
    }
    if (!/[eE]/.test(this.#text[this.#at] ?? '')) return;
    this.#at += 1;
    if (/[-+]/.test(this.#current())) this.#at += 1;
    if (!isDigit(this.#current())) throw this.#unexpected('in exponent of numeric literal');
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #word(word: string): void {
    for (const letter of word) {
      if (this.#current() !== letter) throw this.#unexpected(`in literal ${word} (expecting '${letter}')`);
      this.#at += 1;
    }
  }

  #skip(): void {
    this.#at += 1;
  }

  #blanks(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  /** The next letter that is not blank. */
  #peek(): string {
    this.#blanks();
    return this.#current();
  }

  #current(): string {
    const letter = this.#text[this.#at];
    if (letter === undefined) throw new SyntaxFault(END);
    return letter;
  }

  #unexpected(where: string): SyntaxFault {
    return new SyntaxFault(`invalid character ${quoted(this.#text[this.#at] ?? '')} ${where}`);
  }
}

function isDigit(letter: string): boolean {
  return letter >= '0' && letter <= '9';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': String.raw`\\`,
  "'": String.raw`\'`,
};

/** A byte as Go quotes it. */
function quoted(letter: string): string {
  if (ESCAPES[letter] !== undefined) return `'${ESCAPES[letter]}'`;
  const code = letter.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return String.raw`'\x${code.toString(16).padStart(2, '0')}'`;
  if (code >= 0x80 && code < 0xa0) return String.raw`'\u${code.toString(16).padStart(4, '0')}'`;
  return `'${letter}'`;
}
