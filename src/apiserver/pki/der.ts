/** The few forms of ASN.1 that a certificate is made of, written in DER. */

type Bytes = Uint8Array;

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** First year that no longer fits into the two digits of a UTCTime. */
const GENERALIZED_FROM_YEAR = 2050;

function tagged(tag: number, content: Bytes): Bytes {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
}

function lengthOf({ length }: Bytes): Bytes {
  if (length < 0x80) return Buffer.from([length]);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return Buffer.from([0x80 | digits.length, ...digits]);
}

export function sequence(...parts: readonly Bytes[]): Bytes {
  return tagged(TAG.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Bytes[]): Bytes {
  return tagged(TAG.set, Buffer.concat(parts));
}

/** An unsigned number, given by its bytes. */
export function integer(bytes: Bytes): Bytes {
  const significant = bytes.findIndex((byte) => byte !== 0);
  const trimmed = significant < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(significant));
  const isNegative = ((trimmed[0] ?? 0) & 0x80) !== 0;
  return tagged(TAG.integer, isNegative ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

export function boolean(value: 'true' | 'false'): Bytes {
  return tagged(TAG.boolean, Buffer.from([value === 'true' ? 0xff : 0]));
}

/** `1.2.840.10045.4.3.2` */
export function oid(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return tagged(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

export function utf8String(text: string): Bytes {
  return tagged(TAG.utf8String, Buffer.from(text, 'utf8'));
}

export function octetString(content: Bytes): Bytes {
  return tagged(TAG.octetString, content);
}

/** Whole bytes, or the first bits of the last one when `unusedBits` is given. */
export function bitString(content: Bytes, unusedBits = 0): Bytes {
  return tagged(TAG.bitString, Buffer.concat([Buffer.from([unusedBits]), content]));
}

export function time(epochMs: number): Bytes {
  const digits = new Date(epochMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const year = new Date(epochMs).getUTCFullYear();
  if (year >= GENERALIZED_FROM_YEAR) return tagged(TAG.generalizedTime, Buffer.from(digits));
  return tagged(TAG.utcTime, Buffer.from(digits.slice(2)));
}

/** A member that is known by its number and wraps its content. */
export function explicit(number: number, content: Bytes): Bytes {
  return tagged(0xa0 | number, content);
}

/** A member that is known by its number, which stands in for the content's own tag. */
export function implicit(number: number, content: Bytes): Bytes {
  return tagged(0x80 | number, content);
}
