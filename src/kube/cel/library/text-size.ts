/** Texts that expressions make are limited: a few calls could otherwise make gigabytes of a small object. */
import { CelFailure } from '#kube/cel/errors.ts';

/** UTF-16 units of a text that an expression makes: more than any request can hold. */
export const MAX_MADE_TEXT = 8 * 1024 * 1024;

export function checkTextSize(length: number): void {
  if (length > MAX_MADE_TEXT) throw new CelFailure(`text is longer than ${MAX_MADE_TEXT}`);
}

export function joinTexts(texts: readonly string[], separator: string): string {
  const total = texts.reduce((sum, text) => sum + text.length, 0) + separator.length * Math.max(0, texts.length - 1);
  checkTextSize(total);
  return texts.join(separator);
}
