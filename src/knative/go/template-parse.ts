/**
 * The parser of `template.ts`: Go's text/template as far as Knative's settings use it.
 *
 * Understood: text, `{{pipeline}}`, comments, trim markers (`{{-`, `-}}`), if / else if / else / with / end, fields
 * (`.A.B`), `$`, strings, numbers, true, false, nil, parentheses, function calls and pipes. Not understood, and said
 * so in the error: variables, range, define, block, template, break, continue.
 */

export type Expression =
  | {
      readonly type: 'constant';
      readonly value: string | number | boolean | null;
      readonly source: string;
      readonly at: number;
    }
  | { readonly type: 'dot'; readonly source: string; readonly at: number }
  | { readonly type: 'root'; readonly source: string; readonly at: number }
  | {
      readonly type: 'field';
      readonly of: Expression;
      readonly name: string;
      readonly source: string;
      readonly at: number;
    }
  | { readonly type: 'function'; readonly name: string; readonly source: string; readonly at: number }
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline; readonly source: string; readonly at: number };

export interface Command {
  readonly operands: readonly Expression[];
}
export interface Pipeline {
  readonly commands: readonly Command[];
}
export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

interface Token {
  readonly type: 'field' | 'dot' | 'root' | 'word' | 'string' | 'number' | 'symbol' | 'space';
  readonly text: string;
  readonly at: number;
}

type Piece = { readonly text: string } | { readonly tokens: readonly Token[]; readonly at: number };

const TOKENS: readonly [Token['type'], RegExp][] = [
  ['space', /\s+/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy],
  ['dot', /\./y],
  ['root', /\$(?![\p{L}\p{N}_])/uy],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['symbol', /[|()]/y],
];

const UNSUPPORTED = new Set(['range', 'define', 'block', 'template', 'break', 'continue']);

/** Throws an Error in Go's words: `template: NAME:LINE: unclosed action`. */
export function parseNodes(name: string, source: string, functions: ReadonlySet<string>): Node[] {
  return new Parser(name, source, functions).parse();
}

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #pieces: Piece[] = [];

  constructor(name: string, source: string, functions: ReadonlySet<string>) {
    this.#name = name;
    this.#source = source;
    this.#functions = functions;
  }

  parse(): Node[] {
    this.#split();
    const { nodes, end } = this.#nodes();
    if (end) throw this.#error(end.at, `unexpected {{${end.word}}}`);
    return nodes;
  }

  #error(at: number, what: string): Error {
    const line = this.#source.slice(0, at).split('\n').length;
    return new Error(`template: ${this.#name}:${line}: ${what}`);
  }

  /** Cuts the source into texts and actions; trim markers take the white space beside them away. */
  #split(): void {
    let position = 0;
    let trimNext = false;
    for (;;) {
      const start = this.#source.indexOf('{{', position);
      const raw = this.#source.slice(position, start < 0 ? undefined : start);
      const text = trimNext ? raw.trimStart() : raw;
      const trimsLeft = start >= 0 && /^\{\{-\s/.test(this.#source.slice(start, start + 4));
      this.#pieces.push({ text: trimsLeft ? text.trimEnd() : text });
      if (start < 0) return;
      const action = this.#action(start + (trimsLeft ? 3 : 2));
      position = action.end;
      trimNext = action.trimsRight;
      if (action.tokens) this.#pieces.push({ tokens: action.tokens, at: start + 2 });
    }
  }

  #action(start: number): { tokens: Token[] | undefined; end: number; trimsRight: boolean } {
    const comment = /\s*\/\*[^]*?\*\/(\s+-)?\}\}/y;
    comment.lastIndex = start;
    const found = comment.exec(this.#source);
    if (found) return { tokens: undefined, end: comment.lastIndex, trimsRight: found[1] !== undefined };
    const tokens: Token[] = [];
    for (let at = start; ;) {
      const rest = this.#source.slice(at);
      const close = /^(\s+-)?\}\}/.exec(rest);
      if (close) return { tokens, end: at + close[0].length, trimsRight: close[1] !== undefined };
      if (rest === '') throw this.#error(start, 'unclosed action');
      const token = this.#token(at);
      tokens.push(token);
      at += token.text.length;
    }
  }

  #token(at: number): Token {
    for (const [type, pattern] of TOKENS) {
      pattern.lastIndex = at;
      const text = pattern.exec(this.#source)?.[0];
      if (text !== undefined) return { type, text, at };
    }
    const letter = this.#source.charAt(at);
    if (letter === '"' || letter === '`') throw this.#error(at, 'unterminated quoted string');
    throw this.#error(at, `unexpected ${JSON.stringify(letter)} in operand`);
  }

  /** Nodes up to the end of the template, or to an `end` or `else` that belongs to the caller. */
  #nodes(): { nodes: Node[]; end?: { word: 'end' | 'else'; rest: Token[]; at: number } } {
    const nodes: Node[] = [];
    for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) {
      if ('text' in piece) {
        if (piece.text !== '') nodes.push({ type: 'text', text: piece.text });
        continue;
      }
      const [first, ...rest] = piece.tokens.filter(({ type }, index) => type !== 'space' || index > 0);
      const word = first?.type === 'word' ? first.text : '';
      if (word === 'end' || word === 'else') return { nodes, end: { word, rest, at: piece.at } };
      if (UNSUPPORTED.has(word)) throw this.#error(piece.at, `${word} is not supported here`);
      if (word === 'if' || word === 'with') nodes.push(this.#branch(word, rest, piece.at));
      else nodes.push({ type: 'action', pipeline: this.#pipeline(first ? [first, ...rest] : [], piece.at) });
    }
    return { nodes };
  }

  #branch(type: 'if' | 'with', tokens: readonly Token[], at: number): Node {
    const pipeline = this.#pipeline(tokens, at);
    const { nodes: body, end } = this.#nodes();
    if (!end) throw this.#error(this.#source.length, 'unexpected EOF');
    if (end.word === 'end') return { type, pipeline, body, otherwise: [] };
    const [next, ...rest] = end.rest.filter((token) => token.type !== 'space');
    if (next?.text === type)
      return { type, pipeline, body, otherwise: [this.#branch(type, spaced(rest, end.rest), end.at)] };
    const otherwise = this.#nodes();
    if (otherwise.end?.word !== 'end') throw this.#error(this.#source.length, 'unexpected EOF');
    return { type, pipeline, body, otherwise: otherwise.nodes };
  }

  #pipeline(tokens: readonly Token[], at: number): Pipeline {
    const rest = [...tokens];
    const pipeline = this.#commands(rest, at);
    const [left] = rest;
    if (left) throw this.#error(left.at, `unexpected ${JSON.stringify(left.text)} in command`);
    return pipeline;
  }

  #commands(tokens: Token[], at: number): Pipeline {
    const commands: Command[] = [];
    let operands: Expression[] = [];
    const close = () => {
      if (operands.length === 0) throw this.#error(at, 'missing value for command');
      commands.push({ operands });
      operands = [];
    };
    for (let token = tokens[0]; token && token.text !== ')'; token = tokens[0]) {
      tokens.shift();
      if (token.type === 'space') continue;
      if (token.text === '|') close();
      else operands.push(this.#operand(token, tokens));
    }
    close();
    return { commands };
  }

  /** One operand and the fields that follow it without a space. */
  #operand(token: Token, tokens: Token[]): Expression {
    let operand = this.#simple(token, tokens);
    for (let next = tokens[0]; next?.type === 'field'; next = tokens[0]) {
      tokens.shift();
      operand = {
        type: 'field',
        of: operand,
        name: next.text.slice(1),
        source: operand.source + next.text,
        at: operand.at,
      };
    }
    return operand;
  }

  #simple(token: Token, tokens: Token[]): Expression {
    const { text: source, at } = token;
    if (token.type === 'dot') return { type: 'dot', source, at };
    if (token.type === 'root') return { type: 'root', source: '', at };
    if (token.type === 'field') {
      return { type: 'field', of: { type: 'dot', source: '', at }, name: source.slice(1), source, at };
    }
    if (token.type === 'number') return { type: 'constant', value: Number(source), source, at };
    if (token.type === 'string') return { type: 'constant', value: this.#unquote(token), source, at };
    if (source === '(') {
      const pipeline = this.#commands(tokens, at);
      if (tokens.shift()?.text !== ')') throw this.#error(at, 'unclosed left paren');
      return { type: 'pipeline', pipeline, source: '(...)', at };
    }
    return this.#word(source, at);
  }

  #word(source: string, at: number): Expression {
    if (source === 'true' || source === 'false') return { type: 'constant', value: source === 'true', source, at };
    if (source === 'nil') return { type: 'constant', value: null, source, at };
    if (this.#functions.has(source)) return { type: 'function', name: source, source, at };
    throw this.#error(at, `function ${JSON.stringify(source)} not defined`);
  }

  #unquote({ text, at }: Token): string {
    if (text.startsWith('`')) return text.slice(1, -1);
    try {
      return String(JSON.parse(text));
    } catch (error) {
      throw new Error(`template: ${this.#name}:${at}: invalid syntax`, { cause: error });
    }
  }
}

/** The tokens from the first of `kept` on, spaces included. */
function spaced(kept: readonly Token[], all: readonly Token[]): readonly Token[] {
  const [first] = kept;
  return first ? all.slice(all.indexOf(first)) : [];
}
