/**
 * Octets and what HTTP allows where (RFC 9110 5.6, RFC 9112 3, RFC 3986): one table of bits, one look-up per octet.
 */
export const HT = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
const COMMA = 44;
export const SLASH = 47;
export const COLON = 58;
export const SEMICOLON = 59;
export const QUESTION = 63;
export const PERCENT = 37;

/** Field names, methods, transfer codings: RFC 9110 5.6.2. */
export const TOKEN = 1;
/** Field values: HTAB, SP, visible characters, obs-text. */
export const VALUE = 2;
/** What may stand in a request target as it is. */
export const TARGET = 4;
/** Not allowed by the grammar, but sent by real clients and unambiguous: escaped when it stands in a path. */
export const ESCAPE = 8;
/** uri-host and port. */
export const HOST = 16;
export const HEX = 32;
const DIGIT = 64;
/** Calls for a closer look at a path: `%`. */
export const PERCENT_SIGN = 128;

export const CLASS: Uint8Array = classify();

function classify(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (text: string, bits: number) => {
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      table[code] = (table[code] ?? 0) | bits;
    }
  };
  const digits = '0123456789';
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  mark(`${digits}${letters}!#$%&'*+-.^_\`|~`, TOKEN);
  mark(`${digits}${letters}-._~!$&'()*+,;=:@/?%`, TARGET);
  mark('[]|^"<>\\{}`', ESCAPE);
  mark(`${digits}${letters}-._~!$&'()*+,;=:[]%`, HOST);
  mark(`${digits}abcdefABCDEF`, HEX);
  mark(digits, DIGIT);
  mark('%', PERCENT_SIGN);
  table[HT] = VALUE;
  for (let code = SP; code < 256; code += 1) if (code !== 127) table[code] = (table[code] ?? 0) | VALUE;
  for (let code = 128; code < 256; code += 1) table[code] = (table[code] ?? 0) | ESCAPE;
  return table;
}

export function isSpace(octet: number): boolean {
  return octet === SP || octet === HT;
}

/** Letters of A–Z in lower case, everything else as it is. */
export function lower(octet: number): number {
  return octet >= 65 && octet <= 90 ? octet | 32 : octet;
}

/** Whether `buf[start, end)` is `text` (lower case) in any case of letters. */
export function equalsIgnoreCase(buf: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (lower(buf[start + i] as number) !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether a comma-separated list holds the token `text` (lower case). */
export function listHas(buf: Buffer, start: number, end: number, text: string): boolean {
  let found = false;
  eachToken(buf, { start, end }, (from, to) => {
    found ||= equalsIgnoreCase(buf, from, to, text);
  });
  return found;
}

/** Visits the non-empty members of a comma-separated list, without the space around them. */
export function eachToken(
  buf: Buffer,
  range: { readonly start: number; readonly end: number },
  visit: (start: number, end: number) => void,
): void {
  let from = range.start;
  for (let p = range.start; p <= range.end; p += 1) {
    if (p < range.end && buf[p] !== COMMA) continue;
    let to = p;
    while (from < to && isSpace(buf[from] as number)) from += 1;
    while (to > from && isSpace(buf[to - 1] as number)) to -= 1;
    if (to > from) visit(from, to);
    from = p + 1;
  }
}

/** The number that 1 to `maxDigits` decimal digits give, or -1. */
export function parseDecimal(buf: Buffer, start: number, end: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let p = start; p < end; p += 1) {
    const octet = buf[p] as number;
    if (octet < 48 || octet > 57) return -1;
    value = value * 10 + (octet - 48);
  }
  return value;
}

/** 0..15, or -1. */
export function hexDigit(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  const letter = octet | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
