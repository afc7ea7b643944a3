import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '#base/json.ts';
import { ParseError } from '#kube/parse-error.ts';
import {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  quantityToNumber,
  roundUpToMilli,
} from '#kube/quantity.ts';
import { recordedCases } from '#testing/recorded-http.ts';

function read(text: string): Quantity {
  const quantity = parseQuantity(text);
  assert.ok(!(quantity instanceof ParseError), text);
  return quantity;
}

test('printing: canonical, or as written where Kubernetes keeps the text', () => {
  const rows: [string | number, string][] = [
    ['0', '0'],
    ['000', '0'],
    ['.', '0'],
    ['-', '0'],
    ['0Gi', '0'],
    ['0.1', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1000000', '1M'],
    ['1e9', '1e9'],
    ['1E3', '1E3'],
    ['12e6', '12e6'],
    ['1e10', '10e9'],
    ['1.5e3', '1500'],
    ['100M', '100M'],
    ['1E', '1E'],
    ['1.', '1.'],
    ['+1', '+1'],
    ['1.500', '1.500'],
    ['1024Ki', '1Mi'],
    ['1024Mi', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['1000Ki', '1000Ki'],
    ['8Ki', '8Ki'],
    ['0.5Ki', '512'],
    ['1.1Ki', '1126400m'],
    ['0.0001', '100u'],
    ['0.0000000001', '1n'],
    ['1Ei', '1Ei'],
    ['100Ei', `${2n ** 63n - 1n}`],
    [' 5 ', '5'],
    [2, '2'],
    [0.25, '250m'],
    ['-1', '-1'],
    ['-1Mi', '-1Mi'],
    ['-0.5', '-500m'],
    ['123456789012345678901234567891', '123456789012345678901234567891'],
    ['1000E', '1000E'],
  ];
  for (const [input, printed] of rows) assert.equal(canonicalQuantity(input), printed, String(input));
});

test('what is not a quantity is refused in Kubernetes’ words', () => {
  const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const rows: [string, string][] = [
    ['', format],
    ['x', format],
    ['1 Gi', format],
    ['1e3k', format],
    ['0x10', format],
    ['1q', format],
    ['1Gx', format],
    ['1.2.3', format],
    ['1ee', "unable to parse quantity's suffix"],
    ['1ki', "unable to parse quantity's suffix"],
    ['1GG', "unable to parse quantity's suffix"],
    ['1e999999', "unable to parse quantity's suffix"],
    ['1'.repeat(1000), 'unable to parse numeric part of quantity'],
  ];
  for (const [input, message] of rows) {
    const error = canonicalQuantity(input);
    assert.equal(error instanceof ParseError ? error.message : error, message, input);
  }
});

test('limits of recorded pods are kept, made canonical and refused as a real API server does', () => {
  let rows = 0;
  for (const { path, body, expect } of recordedCases(/^kinds-quantities/).flatMap(({ steps }) => steps)) {
    const memory = memoryLimitOf(body);
    const answer = expect.body as Record<string, unknown> | undefined;
    if (!path.includes('dryRun') || memory === undefined || answer === undefined || expect.status === 422) continue;
    const quantity = parseQuantity(memory);
    if (quantity instanceof ParseError) {
      assert.equal(answer['/message'], `Pod in version "v1" cannot be handled as a Pod: ${quantity.message}`);
    } else {
      const resources = answer['/spec/containers/0/resources'] as { limits: { memory: string } };
      assert.equal(formatQuantity(roundUpToMilli(quantity)), resources.limits.memory);
    }
    rows += 1;
  }
  assert.ok(rows >= 8, `only ${rows}`);
});

function memoryLimitOf(body: unknown): string | undefined {
  const { spec } = body as { spec: { containers: { resources?: { limits?: Record<string, string> } }[] } };
  const limits = spec.containers[0]?.resources?.limits;
  return isObject(limits) ? limits['memory'] : undefined;
}

test('values', () => {
  assert.equal(quantityToNumber('250m'), 0.25);
  assert.equal(quantityToNumber('1Mi'), 1_048_576);
  assert.deepEqual([quantityToNumber(undefined), quantityToNumber('x')], [0, 0]);
  assert.equal(formatQuantity(roundUpToMilli(read('0.0001'))), '1m');
  assert.equal(formatQuantity(roundUpToMilli(read('1.'))), '1.');
});

test('a number becomes a quantity in the format that is asked for', () => {
  assert.equal(formatQuantity(quantityOf(2048, 'BinarySI')), '2Ki');
  assert.equal(formatQuantity(quantityOf(2048)), '2048');
});

test('laws: printing keeps the value, order follows the value', () => {
  const suffixes = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-3'];
  const text = fc
    .tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.nat(9999), fc.constantFrom(...suffixes))
    .map(([whole, fraction, suffix]) => `${whole}.${fraction}${suffix}`);
  fc.assert(
    fc.property(text, text, (left, right) => {
      const [a, b] = [read(left), read(right)];
      const canonical = formatQuantity({ nanos: a.nanos, format: a.format });
      assert.equal(read(canonical).nanos, a.nanos);
      assert.equal(formatQuantity(read(canonical)), canonical);
      assert.equal(compareQuantities(a, b) + compareQuantities(b, a), 0);
    }),
  );
});
