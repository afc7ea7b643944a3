/** The language without a schema, as webhooks' conditions use it, and what hostile expressions come to. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bindingsOf, compileCel, MAX_CALL_COST } from '#kube/cel/compile.ts';
import { DYN_DECL, listDecl, INT_DECL } from '#kube/cel/decl-type.ts';
import { CelCompileError, CelConstantError, CelCostExceeded, CelFailure } from '#kube/cel/errors.ts';
import { jsonValue } from '#kube/cel/json-values.ts';
import { MAX_MADE_TEXT } from '#kube/cel/library/text-size.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_LENGTH } from '#kube/cel/parser.ts';
import type { Value } from '#kube/cel/values.ts';

const OBJECT = JSON.parse(
  '{"metadata":{"name":"x","labels":{"a":"1"}},"spec":{"replicas":3,"ratio":0.5,"items":[1,2,2.5,"b",null]},"__proto__":{"p":1}}',
) as unknown;
const VARIABLES = new Map([['object', DYN_DECL]]);

function evaluate(text: string): Value | CelFailure {
  return compileCel(text, VARIABLES).evaluate(bindingsOf({ object: jsonValue(OBJECT) })).value;
}

suite('expressions over JSON', () => {
  const rows: readonly (readonly [text: string, value: Value])[] = [
    ["object.metadata.name == 'x' && object.spec.replicas >= 3", true],
    ['object.spec.ratio < object.spec.replicas', true],
    ['object.spec.items.size()', 5n],
    ['object.spec.items[4] == null', true],
    ['has(object.metadata.labels.a) && !has(object.metadata.labels.b)', true],
    ["object.?spec.?nope.orValue('none')", 'none'],
    ["object.metadata.labels.exists(k, k.startsWith('a'))", true],
    ['object.spec.items.exists(i, i == 2.5)', true],
    ['has(object.constructor)', false],
    ['has(object.__proto__) && object.__proto__.p == 1', true],
    ["'a' < 'b' && b'a' < b'b' && 1 < 1.5 && 1u < 2", true],
    ['[3, 1, 2].map(x, x * 2).filter(x, x > 2).sum()', 10n],
    ['-7 / 2 == -3 && -7 % 2 == -1', true],
    ['9223372036854775807 == int("9223372036854775807")', true],
    ["timestamp('2024-03-10T12:00:00+02:00').getHours()", 10n],
    ["'ünïcode😀'.size()", 8n],
    ["'a,b,c'.split(',', 2)[1]", 'b,c'],
    ['optional.none().or(optional.of(2)).value()', 2n],
    ["dyn('a') == 1", false],
  ];
  for (const [text, value] of rows) {
    test(text, () => assert.deepEqual(evaluate(text), value));
  }

  test('failures name what went wrong', () => {
    const failures: Readonly<Record<string, string>> = {
      'object.nope.deeper': 'no such key: nope',
      'object.spec.items[9]': 'index out of bounds: 9',
      "object.metadata.name + object.spec.replicas == 'x3'": 'no such overload',
      'object.spec.replicas / 0': 'division by zero',
      '9223372036854775807 + object.spec.replicas': 'integer overflow',
      "object.metadata.name.matches('(' + object.metadata.name)":
        'Illegal regex: error parsing regexp: missing closing ): `(x`',
    };
    for (const [text, message] of Object.entries(failures)) {
      const value = evaluate(text);
      assert.ok(value instanceof CelFailure, text);
      assert.equal(value.message, message);
    }
  });

  test('what decides makes up for what fails', () => {
    assert.equal(evaluate('object.nope == 1 || true'), true);
    assert.equal(evaluate('object.nope == 1 && false'), false);
    assert.equal(evaluate('[0, 1].exists(x, 1 / x == 1)'), true);
  });
});

suite('hostile expressions', () => {
  const refused = (text: string) => assert.throws(() => compileCel(text, VARIABLES), CelCompileError);

  test('too long, or nested too deeply, in every way', () => {
    refused('1'.repeat(MAX_EXPRESSION_LENGTH + 1));
    const depth = MAX_EXPRESSION_DEPTH + 1;
    refused('('.repeat(depth) + '1' + ')'.repeat(depth));
    refused('['.repeat(depth) + ']'.repeat(depth));
    refused(`1${' + 1'.repeat(depth)}`);
    refused(`object${'.a'.repeat(depth)}`);
    refused(`object${'[0]'.repeat(depth)}`);
    refused(`${'false ? false : '.repeat(depth)}true`);
  });

  test('as deep as they may be, they run', () => {
    const depth = MAX_EXPRESSION_DEPTH - 2;
    assert.equal(evaluate(`${'('.repeat(depth)}1${')'.repeat(depth)} == 1`), true);
    assert.equal(evaluate(`0${' + 1'.repeat(depth)} == ${depth}`), true);
    assert.equal(evaluate(`${'false ? false : '.repeat(depth)}true`), true);
    const lists = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    assert.equal(evaluate(`${lists} == ${lists}`), true);
    const steps = `optional.of(1)${'.optMap(v, v)'.repeat(depth - 2)}.hasValue()`;
    assert.ok(compileCel(steps, VARIABLES).maxCost > MAX_CALL_COST);
  });

  test('thousands of conditions are one balanced tree', () => {
    assert.equal(evaluate(`true${' && true'.repeat(5_000)}`), true);
  });

  test('signs in a row count, they do not nest', () => {
    assert.equal(evaluate(`${'!'.repeat(50_001)}true`), false);
  });

  test('loops within loops end at their cost', () => {
    const numbers = new Map([['numbers', listDecl(INT_DECL)]]);
    const loops = 'numbers.all(a, numbers.all(b, numbers.all(c, numbers.all(d, a + b + c + d < 100000))))';
    const program = compileCel(loops, numbers);
    const values = jsonValue(Array.from({ length: 200 }, (_, position) => position));
    assert.throws(() => program.evaluate(bindingsOf({ numbers: values })), CelCostExceeded);
    assert.ok(program.maxCost > MAX_CALL_COST);
  });

  test('lists that grow step by step do not copy themselves', () => {
    const numbers = new Map([['numbers', listDecl(INT_DECL)]]);
    const program = compileCel('numbers.map(n, n).map(n, n).size()', numbers);
    const values = jsonValue(Array.from({ length: 30_000 }, (_, position) => position));
    assert.equal(program.evaluate(bindingsOf({ numbers: values })).value, 30_000n);
  });

  test('small texts do not become large ones', () => {
    const long = 'x'.repeat(10_000);
    const value = evaluate(`'${long}'.replace('', '${long}').size()`);
    assert.ok(value instanceof CelFailure);
    assert.equal(value.message, `text is longer than ${MAX_MADE_TEXT}`);
  });

  test('parts that macros use twice do not double with each of them', () => {
    const chain = `optional.of(1)${'.optMap(v, v + 1)'.repeat(60)}.value() > 0`;
    const program = compileCel(chain, VARIABLES);
    assert.throws(() => program.evaluate(bindingsOf({})), CelCostExceeded);
  });

  test('thousands of literals whose types are open are typed in good time', () => {
    assert.equal(evaluate(`true${' && [] == []'.repeat(8_000)}`), true);
  });

  test('what costs leave out is bounded too', () => {
    const numbers = Array.from({ length: 2_000 }, (_, position) => position);
    const values = { rows: jsonValue(numbers.map(() => numbers)), text: 'x'.repeat(1_000_000) };
    const variables = new Map([
      ['rows', DYN_DECL],
      ['text', DYN_DECL],
    ]);
    const expressions = [
      'rows.all(x, rows.all(y, x == y))',
      'rows.all(x, rows.all(y, size(text) > 0))',
      'rows.all(x, rows.map(y, x + x).size() > 0)',
      "rows.all(x, text.matches('(x{1,30}){1,30}y'))",
    ];
    for (const text of expressions) {
      assert.throws(() => compileCel(text, variables).evaluate(bindingsOf(values)), CelCostExceeded, text);
    }
  });

  test('literals that cannot be converted make no program', () => {
    assert.throws(() => compileCel("int('x') == 1", VARIABLES), CelConstantError);
  });

  test('the accumulator of a loop cannot be named', () => {
    refused('@result');
    refused('[1].all(__result__, true)');
  });
});
