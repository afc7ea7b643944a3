import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone, deepEqual, deepFreeze } from '#base/json.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';
import { StatusError } from '#kube/status.ts';

const key = fc.constantFrom('a', 'b', 'c/d', '~', '__proto__', 'constructor');
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('x', '', 0, 1, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
/** Nulls only as members: within a list, Kubernetes does not treat them alike everywhere. */
const patchValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('x', '', 0, 1, true, null),
    fc.array(fc.constantFrom('x', 1, false), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const mergePatch = fc.dictionary(key, patchValue, { maxKeys: 5, noNullPrototype: true });
const document = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

function same(left: unknown, right: unknown): void {
  assert.ok(deepEqual(left, right), `${JSON.stringify(left)} is not ${JSON.stringify(right)}`);
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

test('JSON patch, law: what is added is found, and taken away again leaves what was there', () => {
  fc.assert(
    fc.property(document, key, value, (before, name, added) => {
      const path = pointer(name);
      const patch = [
        { op: 'add', path, value: added },
        { op: 'test', path, value: added },
      ];
      const after = applyJsonPatch(deepFreeze(before), deepFreeze(patch));
      const undo = Object.hasOwn(before, name) ? { op: 'replace', path, value: before[name] } : { op: 'remove', path };
      same(applyJsonPatch(after, [undo]), before);
    }),
  );
});

test('JSON patch, law: a move is a copy and a removal', () => {
  fc.assert(
    fc.property(document, key, key, (before, from, to) => {
      fc.pre(Object.hasOwn(before, from) && from !== to);
      const moved = applyJsonPatch(before, [{ op: 'move', from: pointer(from), path: pointer(to) }]);
      const copied = applyJsonPatch(before, [
        { op: 'copy', from: pointer(from), path: pointer(to) },
        { op: 'remove', path: pointer(from) },
      ]);
      same(moved, copied);
    }),
  );
});

test('JSON patch: indexes, ends and escapes', () => {
  const list = { list: [1, 2, 3], 'a/b~c': 1 };
  const rows: [patch: unknown, after: unknown][] = [
    [{ op: 'add', path: '/list/-', value: 4 }, [1, 2, 3, 4]],
    [{ op: 'add', path: '/list/0', value: 0 }, [0, 1, 2, 3]],
    [{ op: 'add', path: '/list/3', value: 4 }, [1, 2, 3, 4]],
    [{ op: 'replace', path: '/list/-1', value: 9 }, [1, 2, 9]],
    [{ op: 'remove', path: '/list/1' }, [1, 3]],
    [{ op: 'add', path: '/list/4', value: 4 }, undefined],
    [{ op: 'replace', path: '/list/3', value: 4 }, undefined],
    [{ op: 'remove', path: '/list/-' }, undefined],
    [{ op: 'replace', path: '/list/x', value: 4 }, undefined],
  ];
  for (const [operation, after] of rows) {
    if (after === undefined) assert.throws(() => applyJsonPatch(list, [operation]), { code: 422 });
    else same((applyJsonPatch(list, [operation]) as { list: unknown }).list, after);
  }
  same(applyJsonPatch(list, [{ op: 'remove', path: '/a~1b~0c' }]), { list: [1, 2, 3] });
});

test('patches that are no patches, too long or too deep are refused', () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }));
  const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) as unknown;
  const rows: [run: () => unknown, code: number, message: RegExp][] = [
    [() => applyJsonPatch({}, {}), 400, /cannot unmarshal object into Go value of type \[\]handlers\.jsonPatchOp$/],
    [() => applyJsonPatch({}, [1]), 400, /cannot unmarshal number into Go value of type handlers\.jsonPatchOp$/],
    [() => applyJsonPatch({ a: 1 }, many), 413, /maximum operations in a JSON patch is 10000, got 10001$/],
    [() => applyMergePatch({}, []), 400, /cannot unmarshal array into Go value of type map\[string\]interface \{\}$/],
    [() => applyMergePatch({}, deep), 400, /exceeded max depth$/],
    [() => applyStrategicMerge(Deployment.schema, {}, deep), 400, /exceeded max depth$/],
    [() => applyStrategicMerge(Deployment.schema, {}, 'x'), 400, /cannot unmarshal string/],
  ];
  for (const [run, code, message] of rows) {
    assert.throws(run, (error) => error instanceof StatusError && error.code === code && message.test(error.message));
  }
});

test('copies cannot blow a document up', () => {
  const operations = Array.from({ length: 30 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  assert.throws(() => applyJsonPatch({ a: ['x'.repeat(1000)] }, operations), { code: 422 });
});

test('merge patch, laws: an empty patch changes nothing, and a patch applied twice is a patch applied once', () => {
  fc.assert(
    fc.property(document, mergePatch, (before, patch) => {
      const after = applyMergePatch(deepFreeze(before), deepFreeze(patch));
      same(applyMergePatch(before, {}), before);
      same(applyMergePatch(after, patch), after);
    }),
  );
});

test('no patch reaches what objects inherit', () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as object;
  applyMergePatch({}, hostile);
  applyStrategicMerge(Deployment.schema, { metadata: { labels: {} } }, { metadata: { labels: hostile } });
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }]), { code: 422 });
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

const NAMES = ['a', 'b', 'c', 'd'];
const environment = fc
  .uniqueArray(fc.constantFrom('X', 'Y', 'Z'), { maxLength: 3 })
  .map((names) => names.map((name) => ({ name, value: name })));
const containers = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name) => environment.map((env) => ({ name, image: name, env })))));

function deployment(list: readonly unknown[]): Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {},
    spec: { template: { spec: { containers: list } } },
  };
}

function namesOf(result: Record<string, unknown>): string[] {
  const { spec } = result as { spec: { template: { spec: { containers: { name: string }[] } } } };
  return spec.template.spec.containers.map(({ name }) => name);
}

test('strategic merge, laws: empty and repeated patches, union of names, order', () => {
  fc.assert(
    fc.property(containers, containers, (before, changes) => {
      const [document, patch] = [deepFreeze(deployment(before)), deepFreeze(deployment(changes))];
      same(applyStrategicMerge(Deployment.schema, document, {}), document);
      const after = applyStrategicMerge(Deployment.schema, document, patch);
      same(applyStrategicMerge(Deployment.schema, after, patch), after);
      const names = namesOf(after);
      assert.deepEqual([...names].sort(), [...new Set([...namesOf(document), ...namesOf(patch)])].sort());
      const added = new Set(namesOf(patch));
      assert.deepEqual(
        names.filter((name) => added.has(name)),
        namesOf(patch),
      );
    }),
  );
});

test('strategic merge, law: deleting every element by name empties the list', () => {
  fc.assert(
    fc.property(containers, (before) => {
      const deletions = before.map(({ name }) => ({ name, $patch: 'delete' }));
      same(namesOf(applyStrategicMerge(Deployment.schema, deployment(before), deployment(deletions))), []);
    }),
  );
});

test('strategic merge: errors name what is wrong as Kubernetes does', () => {
  const spec = (members: Record<string, unknown>) => ({ spec: { template: { spec: members } } });
  const live = {
    ...deployment([{ name: 'a', args: ['x'] }]),
    ...clone(spec({ containers: [{ name: 'a' }], volumes: [] })),
  };
  const rows: [patch: unknown, code: number, message: string][] = [
    [spec({ containers: [{ image: 'x' }] }), 500, 'map: map[image:x] does not contain declared merge key: name'],
    [
      spec({ containers: [{ $patch: 'nope', name: 'a' }] }),
      500,
      'unknown patch type: nope in map: map[$patch:nope name:a]',
    ],
    [spec({ containers: [{ $patch: 'merge', name: 'a' }] }), 500, 'merging lists cannot yet be specified in the patch'],
    [spec({ containers: ['a'] }), 500, 'list element types are not identical: [[map[name:a]] [a]]'],
    [spec({ '$setElementOrder/containers': 1 }), 500, 'expected a []interface {}, but received a int64'],
    [
      spec({ '$setElementOrder/nope': [] }),
      500,
      'unable to find api field in struct PodSpec for the json field "nope"',
    ],
    [spec({ $setElementOrder: [] }), 400, 'invalid patch format of setElementOrder list'],
    [spec({ $deleteFromPrimitiveList: [] }), 400, 'invalid patch format of primitive list'],
    [spec({ $retainKeys: 'x' }), 400, 'invalid patch format of retainKeys'],
    [spec({ $retainKeys: [], containers: [] }), 400, 'invalid patch format of retainKeys'],
  ];
  for (const [patch, code, message] of rows) {
    assert.throws(() => applyStrategicMerge(Deployment.schema, live, patch), { code, message }, message);
  }
});
