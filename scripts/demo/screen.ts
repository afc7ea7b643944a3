/**
 * What the demo looks like: numbered steps of commands, their real output, and one checked claim with the time that
 * the step took. At most 100 columns; colours and the one line that changes in place only on a terminal, so that the
 * same text reads well in a file.
 */
import { styleText } from 'node:util';
import type { Clock } from '#base/clock.ts';
import { renderDuration } from '#cli/output.ts';

export interface ScreenOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** Columns of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
  readonly hasColour: boolean;
}

type Style = Parameters<typeof styleText>[0];

const MAX_COLUMNS = 100;
const MIN_COLUMNS = 60;
const INDENT = '    ';
/** Room for a step's duration at the right edge. */
const TIME_COLUMNS = 9;
const CLEAR_LINE = '\r\u001B[2K';

export class Screen {
  readonly #options: ScreenOptions;
  readonly #columns: number;
  #startedAt: number;
  #steps = 0;
  /** What stands on the line that changes in place. */
  #openLine: string | undefined;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#columns = Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, options.columns || MAX_COLUMNS));
    this.#startedAt = options.clock.monotonicMs();
  }

  title(text: string): void {
    this.#print(this.#styled('bold', text));
  }

  /** A paragraph of ours at the left edge. */
  paragraph(text: string): void {
    for (const line of fold(text, this.#columns)) this.#print(line);
  }

  step(title: string): void {
    this.#steps += 1;
    this.#startedAt = this.#options.clock.monotonicMs();
    this.#print('');
    this.#print(this.#styled('bold', `${String(this.#steps).padStart(2)}  ${title}`));
  }

  /** As a user would type it; further lines of it are continuations. */
  command(text: string): void {
    const lines = text.split('\n').map((line, at) => (at === 0 ? `$ ${line}` : `  ${line}`));
    for (const line of lines) this.#print(INDENT + this.#styled('cyan', line));
  }

  /** What a command printed. Folded as for a file: a narrow terminal does that by itself, and tables better. */
  output(text: string): void {
    if (text.trim() === '') return;
    for (const line of text.trimEnd().split('\n')) {
      for (const part of fold(line.trimEnd(), MAX_COLUMNS - INDENT.length, INDENT)) this.#print(INDENT + part);
    }
  }

  /** One line of output, cut where it is too long. */
  cut(line: string): void {
    const room = this.#columns - INDENT.length;
    this.#print(INDENT + (line.length > room ? `${line.slice(0, room - 1)}…` : line));
  }

  /** A remark of ours. */
  note(text: string): void {
    for (const line of fold(text, this.#columns - INDENT.length)) this.#print(INDENT + this.#styled('dim', line));
  }

  blank(): void {
    this.#print('');
  }

  /** Replaced by whatever is printed next; nothing where lines cannot change. */
  progress(text: string): void {
    if (this.#options.columns === undefined || text === this.#openLine) return;
    this.#options.write(`${CLEAR_LINE}${INDENT}${this.#styled('dim', text.slice(0, this.#columns - INDENT.length))}`);
    this.#openLine = text;
  }

  /** The step's claim, with the time that the step took. */
  ok(claim: string): void {
    const time = renderDuration(this.#options.clock.monotonicMs() - this.#startedAt);
    const lines = fold(claim, this.#columns - INDENT.length - 4 - TIME_COLUMNS);
    lines.forEach((line, at) => {
      const mark = at === 0 ? `${this.#styled('green', 'ok')}  ` : '    ';
      const room = this.#columns - INDENT.length - 4 - line.length;
      const end = at === lines.length - 1 ? this.#styled('dim', time.padStart(room)) : '';
      this.#print(`${INDENT}${mark}${line}${end}`);
    });
  }

  failed(message: string, cure: string | undefined): void {
    const lines = fold(message, this.#columns - INDENT.length - 8);
    lines.forEach((line, at) =>
      this.#print(`${INDENT}${at === 0 ? this.#styled('red', 'failed') : '      '}  ${line}`),
    );
    for (const line of cure?.split('\n') ?? []) {
      for (const part of fold(line, this.#columns - INDENT.length - 8)) this.#print(`${INDENT}        ${part}`);
    }
  }

  #print(line: string): void {
    if (this.#openLine !== undefined) this.#options.write(CLEAR_LINE);
    this.#openLine = undefined;
    this.#options.write(`${line}\n`);
  }

  #styled(style: Style, text: string): string {
    return this.#options.hasColour ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Breaks at blanks; a word that is longer than a line stays whole. Lines after the first begin with `hanging`. */
function fold(text: string, columns: number, hanging = ''): string[] {
  if (text.length <= columns) return [text];
  const at = text.lastIndexOf(' ', columns);
  const isOnlyHanging = text.slice(0, at + 1).trim() === '';
  const cut = isOnlyHanging ? text.indexOf(' ', columns) : at;
  if (cut < 0) return [text];
  return [text.slice(0, cut).trimEnd(), ...fold(hanging + text.slice(cut + 1).trimStart(), columns, hanging)];
}
