import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clone, deepEqual, deepFreeze, getMember, isWithinDepth, setMember } from '#base/json.ts';

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

test('names that objects inherit are names like any other', () => {
  const hostile = JSON.parse('{"__proto__":{"x":1},"constructor":1}') as Record<string, unknown>;
  const copy = clone(hostile);
  assert.equal(JSON.stringify(copy), '{"__proto__":{"x":1},"constructor":1}');
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(getMember({}, 'toString'), undefined);
  const target = {};
  setMember(target, '__proto__', { polluted: true });
  assert.equal((target as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(getMember(target, '__proto__'), { polluted: true });
});

test('depth is measured without recursion', () => {
  const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  assert.ok(isWithinDepth(deep(10), 10));
  assert.ok(isWithinDepth(1, 0));
  assert.ok(!isWithinDepth(deep(12), 10));
  assert.ok(!isWithinDepth(deep(100_000), 1000));
});
