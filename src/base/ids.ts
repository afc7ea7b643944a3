/**
 * Identifiers: UUIDs for objects and the suffix alphabet that Kubernetes uses for generated names (no vowels, no
 * look-alikes, so that no word is ever spelled).
 */
import type { Clock } from '#base/clock.ts';

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A version 4 UUID in its usual form. */
export function uuid(clock: Clock): string {
  const bytes = Uint8Array.from(clock.randomBytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** `length` letters and digits of the alphabet above. */
export function randomSuffix(clock: Clock, length: number): string {
  return [...clock.randomBytes(length)].map((byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length]).join('');
}

/** Maps decimal or hex digits to the same alphabet, as Kubernetes does with hashes in names ("safe encode"). */
export function safeEncode(text: string): string {
  return [...text].map((letter) => SUFFIX_ALPHABET[letter.charCodeAt(0) % SUFFIX_ALPHABET.length]).join('');
}
