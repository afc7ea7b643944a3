import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml } from '#apiserver/http/yaml.ts';

const rows: readonly { name: string; text: string; expected: unknown; duplicates?: readonly string[] }[] = [
  { name: 'the first document that is not empty', text: '---\n---\na: 1\n---\nb: 2\n', expected: { a: 1 } },
  { name: 'nothing at all', text: '', expected: {} },
  {
    name: 'a key that stands twice',
    text: 'a:\n  b: 1\n  c: 2\n  b: 3\nd: [{e: 1, e: 2}]\n',
    expected: { a: { b: 3, c: 2 }, d: [{ e: 2 }] },
    duplicates: ['line 4: key "b" already set in map', 'line 5: key "e" already set in map'],
  },
  {
    name: 'a map that is taken over',
    text: 'x: &x {a: 1}\nz:\n  <<: *x\n  b: 2\n',
    expected: { x: { a: 1 }, z: { a: 1, b: 2 } },
  },
  { name: 'brackets in a text', text: `a: "${'['.repeat(600)}"`, expected: { a: '['.repeat(600) } },
  {
    name: 'many lists side by side',
    text: `a: [${'[],'.repeat(600)}]`,
    expected: { a: Array.from({ length: 600 }, () => []) },
  },
];
for (const { name, text, expected, duplicates = [] } of rows) {
  test(`YAML: ${name}`, () => assert.deepEqual(parseYaml(text), { value: expected, duplicates }));
}

const bad: readonly { name: string; text: string; says: RegExp }[] = [
  { name: 'brackets without end', text: '['.repeat(1_000_000), says: /nested more than 500 levels deep/ },
  { name: 'braces in a member', text: `a: ${'{b: '.repeat(600)}`, says: /nested more than 500 levels deep/ },
  { name: 'dashes without end', text: '- '.repeat(1_000_000), says: /nested more than 500 levels deep/ },
  { name: 'a tab', text: 'a:\n\tb: 1', says: /^line 2: found character that cannot start any token$/ },
];
for (const { name, text, says } of bad) {
  test(`YAML refused: ${name}`, () => {
    const found = parseYaml(text);
    assert.ok(found instanceof Error);
    assert.match(found.message, says);
  });
}
