import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clone, deepEqual, deepFreeze } from '#base/json.ts';

test('equality ignores member order and undefined members, not nulls or array order', () => {
  assert.ok(deepEqual({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1, d: undefined }));
  assert.ok(deepEqual({ a: undefined }, {}));
  assert.ok(!deepEqual({ a: null }, {}));
  assert.ok(!deepEqual([1, 2], [2, 1]));
  assert.ok(!deepEqual({ a: 1 }, { a: 1, b: 1 }));
  assert.ok(!deepEqual([], {}));
});

test('a clone is independent and drops undefined members', () => {
  const original = deepFreeze({ a: { b: [1] }, c: undefined });
  const copy = clone(original) as { a: { b: number[] } };
  copy.a.b.push(2);
  assert.deepEqual(original.a.b, [1]);
  assert.ok(!('c' in copy));
});

test('frozen all the way down', () => {
  const frozen = deepFreeze({ a: { b: [{ c: 1 }] } });
  assert.throws(() => {
    (frozen.a.b[0] as { c: number }).c = 2;
  }, TypeError);
});
