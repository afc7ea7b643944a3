import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatDurationMs, parseDuration, parseDurationMs } from '#kube/duration.ts';
import { ParseError } from '#kube/parse-error.ts';

test('reading and printing', () => {
  const rows: [text: string, nanos: bigint, printed: string][] = [
    ['0', 0n, '0s'],
    ['1m30s', 90_000_000_000n, '1m30s'],
    ['90s', 90_000_000_000n, '1m30s'],
    ['1.5h', 5_400_000_000_000n, '1h30m0s'],
    ['-1.5s', -1_500_000_000n, '-1.5s'],
    ['+5ms', 5_000_000n, '5ms'],
    ['1.001ms', 1_001_000n, '1.001ms'],
    ['1us', 1_000n, '1µs'],
    ['1µs1ns', 1_001n, '1.001µs'],
    ['.5s', 500_000_000n, '500ms'],
    ['1.s', 1_000_000_000n, '1s'],
    ['3h0m0.000000001s', 10_800_000_000_001n, '3h0m0.000000001s'],
    ['2562047h47m16.854775807s', 2n ** 63n - 1n, '2562047h47m16.854775807s'],
  ];
  for (const [text, nanos, printed] of rows) {
    assert.equal(parseDuration(text), nanos, text);
    assert.equal(formatDuration(nanos), printed, text);
  }
  assert.equal(parseDurationMs('1m0.5s'), 60_500);
  assert.equal(formatDurationMs(60_500), '1m0.5s');
});

test('errors in Go’s words', () => {
  const rows: [text: string, message: string][] = [
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['x', 'time: invalid duration "x"'],
    ['1', 'time: missing unit in duration "1"'],
    ['1m30', 'time: missing unit in duration "1m30"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 s', 'time: unknown unit " s" in duration "1 s"'],
    ['.s', 'time: invalid duration ".s"'],
    ['1é', 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'],
    ['2562047h47m16.854775808s', 'time: invalid duration "2562047h47m16.854775808s"'],
  ];
  for (const [text, message] of rows) {
    const error = parseDuration(text);
    assert.equal(error instanceof ParseError ? error.message : error, message, text);
  }
  assert.ok(parseDurationMs('x') instanceof ParseError);
});

test('law: what is printed reads back as itself', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (nanos) => {
      assert.equal(parseDuration(formatDuration(nanos)), nanos);
    }),
  );
});
