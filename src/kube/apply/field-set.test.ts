import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  difference,
  EMPTY_SET,
  type FieldSet,
  fromFieldsV1,
  hasPath,
  intersection,
  isEmptySet,
  pathsOf,
  sameSets,
  setOf,
  toFieldsV1,
  union,
  withoutSubtrees,
} from '#kube/apply/field-set.ts';
import { formatPath, keyElement, type Path, valueElement } from '#kube/apply/path-element.ts';

const element = fc.constantFrom(
  'f:a',
  'f:b',
  keyElement({ name: 'x' }),
  keyElement({ port: 80, protocol: 'TCP' }),
  valueElement('v'),
);
const path = fc.array(element, { minLength: 1, maxLength: 3 });
const paths = fc.array(path, { maxLength: 8 });
const set = paths.map((list) => setOf(...list));

function textsOf(fields: FieldSet): Set<string> {
  return new Set([...pathsOf(fields)].map(formatPath));
}

function texts(list: readonly Path[]): Set<string> {
  return new Set(list.map(formatPath));
}

test('laws: sets of paths are sets', () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const [a, b] = [setOf(...left), setOf(...right)];
      assert.deepEqual(textsOf(a), texts(left));
      assert.deepEqual(textsOf(union(a, b)), texts(left).union(texts(right)));
      assert.deepEqual(textsOf(intersection(a, b)), texts(left).intersection(texts(right)));
      assert.deepEqual(textsOf(difference(a, b)), texts(left).difference(texts(right)));
      assert.ok(left.every((one) => hasPath(a, one)));
    }),
  );
});

test('laws: equality is by content, and the empty set is neutral', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      assert.ok(sameSets(union(a, b), union(b, a)));
      assert.ok(sameSets(difference(a, EMPTY_SET), a));
      assert.ok(isEmptySet(difference(a, a)));
      assert.equal(sameSets(a, b), isEmptySet(difference(a, b)) && isEmptySet(difference(b, a)));
    }),
  );
});

test('law: without subtrees, nothing at or below a path is left', () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const rest = textsOf(withoutSubtrees(setOf(...left), setOf(...right)));
      const isBelow = (one: Path) => right.some((root) => root.every((step, index) => one[index] === step));
      assert.deepEqual(rest, texts(left.filter((one) => !isBelow(one))));
    }),
  );
});

test('law: FieldsV1 reads back as itself', () => {
  fc.assert(fc.property(set, (fields) => assert.ok(sameSets(fromFieldsV1(toFieldsV1(fields)), fields))));
});

test('paths are listed members first, keys by their values, and shown as Kubernetes shows them', () => {
  const fields = setOf(
    ['f:spec', 'f:ports', keyElement({ protocol: 'TCP', containerPort: 90 })],
    ['f:spec', 'f:ports', keyElement({ containerPort: 80, protocol: 'TCP' }), 'f:name'],
    ['f:spec', 'f:hosts', valueElement('b')],
    ['f:spec', 'f:hosts', valueElement('a')],
    ['f:spec', 'f:image'],
    ['f:metadata', 'i:0'],
  );
  assert.deepEqual([...pathsOf(fields)].map(formatPath), [
    '.metadata[0]',
    '.spec.image',
    '.spec.hosts[="a"]',
    '.spec.hosts[="b"]',
    '.spec.ports[containerPort=90,protocol="TCP"]',
    '.spec.ports[containerPort=80,protocol="TCP"].name',
  ]);
});

test('a step may be in the set itself and lead further', () => {
  const fields = fromFieldsV1({ 'f:data': { '.': {}, 'f:a': {} }, 'k:{"b":1,"a":2}': {} });
  assert.deepEqual([...pathsOf(fields)].map(formatPath), ['.data', '[a=2,b=1]', '.data.a']);
  assert.deepEqual(toFieldsV1(fields), { 'f:data': { '.': {}, 'f:a': {} }, 'k:{"a":2,"b":1}': {} });
});
