/** Laws of merge patches and of strategic merges, the latter with the patches that kubectl makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone, deepEqual, deepFreeze, isObject } from '#base/json.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { threeWayPatch, twoWayPatch } from '#kube/patch/fixtures/kubectl-diff.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';

type JsonMap = Record<string, unknown>;

function same(left: unknown, right: unknown, why = ''): void {
  assert.ok(deepEqual(left, right), `${JSON.stringify(left)} is not ${JSON.stringify(right)} ${why}`);
}

const key = fc.constantFrom('a', 'b', 'c', '__proto__');
/** Without nulls, which a merge patch cannot say. */
const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('x', '', 0, true),
    fc.array(fc.constantFrom('x', 1), { maxLength: 2 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const document = fc.dictionary(key, plain, { maxKeys: 4, noNullPrototype: true });

/** RFC 7386, appendix A, the other way round. */
function mergeDiff(from: JsonMap, to: JsonMap): JsonMap {
  const patch: [string, unknown][] = [];
  for (const [name, value] of Object.entries(to)) {
    const current = Object.hasOwn(from, name) ? from[name] : undefined;
    if (isObject(current) && isObject(value)) patch.push([name, mergeDiff(current, value)]);
    else if (!deepEqual(current, value)) patch.push([name, value]);
  }
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch.push([name, null]);
  return Object.fromEntries(patch);
}

test('merge patch, law: the difference between two documents makes one of the other', () => {
  fc.assert(
    fc.property(document, document, (from, to) => {
      same(applyMergePatch(deepFreeze(from), deepFreeze(mergeDiff(from, to))), to);
    }),
  );
});

test('merge patch, law: patches of different members can come in any order', () => {
  const left = fc.dictionary(fc.constantFrom('a', 'b'), fc.option(plain), { noNullPrototype: true });
  const right = fc.dictionary(fc.constantFrom('c', 'd'), fc.option(plain), { noNullPrototype: true });
  fc.assert(
    fc.property(document, left, right, (before, one, other) => {
      const oneFirst = applyMergePatch(applyMergePatch(before, one), other);
      same(oneFirst, applyMergePatch(applyMergePatch(before, other), one));
      same(oneFirst, applyMergePatch(before, { ...one, ...other }));
    }),
  );
});

test('merge patch, law: null leaves nothing, and what is not named stays', () => {
  fc.assert(
    fc.property(document, key, (before, name) => {
      const after = applyMergePatch(before, Object.fromEntries([[name, null]]));
      assert.equal(Object.hasOwn(after, name), false);
      for (const other of Object.keys(before)) if (other !== name) same(after[other], before[other]);
    }),
  );
});

const text = fc.constantFrom('1', '2', '3');
const labels = fc.dictionary(fc.constantFrom('x', 'y', 'z'), text, { noNullPrototype: true });
const environment = fc
  .uniqueArray(fc.constantFrom('X', 'Y', 'Z'), { maxLength: 3 })
  .chain((names) => fc.tuple(...names.map((name) => text.map((value) => ({ name, value })))));
const containers = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record(
          { name: fc.constant(name), image: text, args: fc.array(text, { maxLength: 2 }), env: environment },
          { requiredKeys: ['name'] },
        ),
      ),
    ),
  );
const deployment: fc.Arbitrary<JsonMap> = fc
  .record({ labels, containers, replicas: fc.option(fc.nat({ max: 3 }), { nil: undefined }) })
  .map(({ labels: all, containers: list, replicas }) => ({
    metadata: { labels: all },
    spec: { ...(replicas === undefined ? {} : { replicas }), template: { spec: { containers: list } } },
  }));

const merged = (before: JsonMap, patch: JsonMap) =>
  applyStrategicMerge(Deployment.schema, deepFreeze(before), deepFreeze(patch));

test('strategic merge, law: the difference between two objects makes one of the other, orders and all', () => {
  fc.assert(
    fc.property(deployment, deployment, (from, to) => {
      const patch = twoWayPatch(from, to);
      same(merged(from, patch), to, JSON.stringify(patch));
    }),
    { numRuns: 500 },
  );
});

test('strategic merge, law: kubectl apply brings what is wanted, takes what it brought before, and leaves the rest', () => {
  fc.assert(
    fc.property(deployment, deployment, deployment, (lastApplied, live, wanted) => {
      const patch = threeWayPatch(lastApplied, live, wanted);
      const after = merged(live, patch);
      checkHeld(after, wanted);
      checkRest(after, { lastApplied, live, wanted });
      const again = threeWayPatch(wanted, after, wanted);
      same(merged(after, again), after, 'and applying again changes nothing');
    }),
    { numRuns: 500 },
  );
});

/** Everything that is wanted is there; elements of lists come in the order that is wanted. */
function checkHeld(after: unknown, wanted: unknown, path = ''): void {
  if (isObject(wanted)) {
    for (const [name, value] of Object.entries(wanted)) {
      checkHeld(isObject(after) ? after[name] : undefined, value, `${path}.${name}`);
    }
  } else if (isElements(wanted)) {
    const names = new Set(wanted.map(({ name }) => name));
    const found = (after as Element[]).filter(({ name }) => names.has(name));
    assert.deepEqual(
      found.map(({ name }) => name),
      wanted.map(({ name }) => name),
      path,
    );
    wanted.forEach((element, at) => checkHeld(found[at], element, `${path}[${element.name}]`));
  } else if (!path.endsWith('.env')) {
    // Wanting no variables says nothing of those that others brought.
    same(after, wanted, path);
  }
}

interface Element extends JsonMap {
  readonly name: string;
}

function isElements(value: unknown): value is Element[] {
  return Array.isArray(value) && value.some(isObject);
}

interface Three {
  readonly lastApplied: unknown;
  readonly live: unknown;
  readonly wanted: unknown;
}

/** What is no longer wanted is gone if it was applied before, and as it was if somebody else brought it. */
function checkRest(after: unknown, { lastApplied, live, wanted }: Three, path = ''): void {
  const [now, was, before, next] = [after, live, lastApplied, wanted].map(members);
  for (const [name, value] of Object.entries(was ?? {})) {
    const wantedMember = next?.[name];
    if (wantedMember === undefined) {
      const isOurs = before !== undefined && Object.hasOwn(before, name);
      if (isOurs) assert.equal(now?.[name], undefined, `${path}.${name} was applied before`);
      else same(now?.[name], value, `${path}.${name} is somebody else's`);
    } else if (members(wantedMember)) {
      const inner = { lastApplied: before?.[name], live: value, wanted: wantedMember };
      checkRest(now?.[name], inner, `${path}.${name}`);
    }
  }
}

/** Of a map, or of a list whose elements have names. */
function members(value: unknown): JsonMap | undefined {
  if (isObject(value)) return value;
  return isElements(value) ? Object.fromEntries(value.map((element) => [element.name, clone(element)])) : undefined;
}
