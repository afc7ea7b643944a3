import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Warnings } from '#apiserver/http/warnings.ts';

function warningsOf(...texts: string[]): readonly string[] {
  const warnings = new Warnings();
  for (const text of texts) warnings.add(text);
  return warnings.texts;
}

test('each is said once, in order, whole while there is room', () => {
  const long = 'x'.repeat(4_000);
  assert.deepEqual(warningsOf('b', 'a', 'b', '', long), ['b', 'a', long]);
});

test('too many letters: each is cut', () => {
  const texts = warningsOf('a'.repeat(5_000), '😀'.repeat(300), 'short');
  assert.deepEqual(texts, ['a'.repeat(256), '😀'.repeat(256), 'short']);
});

test('too many at all: the rest is dropped', () => {
  const texts = warningsOf(...Array.from({ length: 1_000 }, (_, position) => `${position}`.padEnd(300)));
  assert.equal(texts.length, 16);
});
