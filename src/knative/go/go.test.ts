import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWholeSeconds } from '#knative/go/duration.ts';
import { formatFloat, type IntType, parseBool, parseFloat64, parseInteger } from '#knative/go/numbers.ts';

const text = (value: unknown) => (value instanceof Error ? value.message : value);

const integers: [string, IntType, number | string][] = [
  ['-3', { by: 'ParseInt', bits: 32 }, -3],
  ['1.5', { by: 'ParseInt', bits: 32 }, 'strconv.ParseInt: parsing "1.5": invalid syntax'],
  ['2147483648', { by: 'ParseInt', bits: 32 }, 'strconv.ParseInt: parsing "2147483648": value out of range'],
  ['-1', { by: 'ParseUint', bits: 32 }, 'strconv.ParseUint: parsing "-1": invalid syntax'],
  ['1m', { by: 'Atoi', bits: 64 }, 'strconv.Atoi: parsing "1m": invalid syntax'],
];
for (const [input, type, expected] of integers) {
  test(`parseInteger ${input}`, () => assert.equal(text(parseInteger(input, type)), expected));
}

test('floats', () => {
  assert.equal(parseFloat64('1e3'), 1000);
  assert.equal(text(parseFloat64('x')), 'strconv.ParseFloat: parsing "x": invalid syntax');
  assert.equal(text(parseFloat64('')), 'strconv.ParseFloat: parsing "": invalid syntax');
  assert.equal(formatFloat(0.0007), '0.0007');
  assert.equal(formatFloat(0.00001), '1e-05');
  assert.equal(formatFloat(1e21), '1e+21');
});

test('truth values', () => {
  assert.equal(parseBool('T'), true);
  assert.equal(parseBool('0'), false);
  assert.equal(text(parseBool('yes')), 'strconv.ParseBool: parsing "yes": invalid syntax');
});

test('whole seconds', () => assert.ok(isWholeSeconds(60_000) && !isWholeSeconds(1500)));
