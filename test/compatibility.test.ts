/** `docs/compatibility.md` is held to what it names: tests that exist, reasons that are given, items that are all there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { leftOut } from '#testing/http-replay/left-out.ts';

const ROOT = path.join(import.meta.dirname, '..');
const text = readFileSync(path.join(ROOT, 'docs/compatibility.md'), 'utf8');
const items = text.split('\n').flatMap((line) => /^\| ([\d.]+)[ ,](.*)\|$/.exec(line)?.slice(1, 2) ?? []);

/** Section of Knative's facts → its last numbered item. */
const NUMBERED: Readonly<Record<number, number>> = {
  1: 13,
  2: 7,
  3: 2,
  4: 13,
  5: 4,
  6: 12,
  7: 8,
  9: 10,
  11: 5,
  12: 4,
  19: 28,
};

test('every test that it names is there', () => {
  const named = [...text.matchAll(/`((?:src|test)\/[\w./-]+\.(?:ts|json|txt))`/g)].map(([, file = '']) => file);
  assert.ok(named.length > 100);
  assert.deepEqual(
    [...new Set(named)].filter((file) => !existsSync(path.join(ROOT, file))),
    [],
  );
});

test('no item is left out', () => {
  // `9.1 ports, 9.2 its environment` are two items in one row.
  const there = new Set([...items, '9.2']);
  const wanted = Object.entries(NUMBERED).flatMap(([section, last]) =>
    Array.from({ length: last }, (_, at) => `${section}.${at + 1}`),
  );
  assert.deepEqual(
    [...wanted, '8', '10', '13', '14', '15', '16', '18'].filter((item) => !there.has(item)),
    [],
  );
});

test('every item has an answer', () => {
  const rows = text.split('\n').filter((line) => /^\| [\d.]+[ ,]/.test(line));
  const answer = /^(yes|\*\*(differs|part|not yet)\*\*|see \d+|1\.17)/;
  assert.deepEqual(
    rows.filter((row) => !answer.test(row.split(' | ')[1] ?? '')),
    [],
  );
});

test('it gives every reason for which a recording is left out, and no other', () => {
  const given = new Set(leftOutReasons());
  const section = text.split('What they leave out, and why:')[1]?.split('\n## ')[0] ?? '';
  const told = section.split('\n').flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : []));
  assert.deepEqual(told.toSorted(), [...given].toSorted());
});

function leftOutReasons(): string[] {
  return (['kube', 'kubectl', 'kubectl-platform'] as const).flatMap((corpus) =>
    leftOut(corpus).map(({ reason }) => reason),
  );
}
