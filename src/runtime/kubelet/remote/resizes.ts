/** Window sizes as clients send them: JSON objects one after the other, cut anywhere, before anyone listens even. */
import { isObject } from '#base/json.ts';
import type { WindowSize } from '#sys/pty.ts';

/** One object is about thirty bytes; what is longer and still not whole is dropped. */
const MAX_KEPT_CHARACTERS = 1024;

const MAX_SIDE = 0xffff;

export class Resizes {
  #kept = '';
  #last: WindowSize | undefined;
  #listener: ((size: WindowSize) => void) | undefined;

  feed(chunk: Buffer): void {
    for (const size of this.#decode(chunk)) {
      this.#last = size;
      this.#listener?.(size);
    }
  }

  /** Tells the last size that came before as well. */
  listen(listener: (size: WindowSize) => void): void {
    this.#listener = listener;
    if (this.#last) listener(this.#last);
  }

  #decode(chunk: Buffer): WindowSize[] {
    const parts = `${this.#kept}${chunk.toString('utf8')}`.split('}');
    const rest = parts.pop() ?? '';
    this.#kept = rest.length > MAX_KEPT_CHARACTERS ? '' : rest;
    return parts.flatMap((part) => parseSize(`${part}}`) ?? []);
  }
}

/** Undefined for anything that is no size. */
function parseSize(text: string): WindowSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { Width: columns, Height: rows } = value;
  return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SIDE;
}
