/** Whoever judges by recordings must see whatever is not as recorded. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isObject } from '#base/json.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { loadOracleCases, type OracleCase, oracleDifferences, type OracleStep, rulesOf } from '#testing/oracle.ts';
import { Normaliser } from '#testing/oracle-normaliser.ts';

const NOTHING = { ignore: [], subset: [] };

describe('differences', () => {
  const rows: { name: string; want: unknown; got: unknown; ignore?: string[]; subset?: string[]; found: string[] }[] = [
    { name: 'none', want: { a: [1, { b: null }] }, got: { a: [1, { b: null }] }, found: [] },
    { name: 'a value', want: { a: 1 }, got: { a: 2 }, found: ['/a'] },
    { name: 'null is not absence', want: { a: null }, got: {}, found: ['/a'] },
    { name: 'something missing', want: { a: { b: 1 } }, got: { a: {} }, found: ['/a/b'] },
    { name: 'something more', want: { a: {} }, got: { a: { b: 1 } }, found: ['/a/b'] },
    { name: 'something more where that is allowed', want: { a: {} }, got: { a: { b: 1 } }, subset: ['/a'], found: [] },
    { name: 'less is never allowed', want: { a: { b: 1 } }, got: { a: {} }, subset: ['/**'], found: ['/a/b'] },
    { name: 'the order of a list', want: [1, 2], got: [2, 1], found: ['/0', '/1'] },
    { name: 'a longer list', want: [1], got: [1, 2], found: ['/', '/1'] },
    { name: 'a longer list is no superset', want: [1], got: [1, 2], subset: ['/**'], found: ['/'] },
    { name: 'a list for an object', want: {}, got: [], found: ['/'] },
    { name: 'an ignored member', want: { a: { b: 1 } }, got: { a: { b: 2 } }, ignore: ['/a/b'], found: [] },
    { name: 'an ignored pattern', want: { ax: { b: 1 } }, got: { ax: { b: 2 } }, ignore: ['/a*/b'], found: [] },
    { name: 'a pattern that ends earlier', want: { a: 1, b: 1 }, got: { a: 2, b: 2 }, ignore: ['/a'], found: ['/b'] },
    { name: 'any depth', want: { a: [{ b: 1 }] }, got: { a: [{ b: 2 }] }, ignore: ['/**/b'], found: [] },
  ];
  for (const { name, want, got, found, ...rules } of rows) {
    test(name, () => {
      const lines = oracleDifferences(want, got, { ...NOTHING, ...rules });
      assert.deepEqual(
        lines.map((line) => line.split(': recorded ')[0]),
        found,
      );
    });
  }
});

/** The places of everything that is no container. */
function leavesOf(value: unknown, at = ''): string[] {
  if (!isObject(value) && !Array.isArray(value)) return [at];
  const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');
  return Object.entries(value).flatMap(([name, entry]) => leavesOf(entry, `${at}/${escaped(name)}`));
}

test('every recording is judged: whatever is changed in it shows, unless the case ignores it', () => {
  let seen = 0;
  let ignored = 0;
  for (const one of loadOracleCases('serving', /./)) {
    for (const step of one.steps) {
      const leaves = leavesOf(step.recorded);
      const recorded = step.recorded as Record<string, unknown>;
      for (const at of new Set([leaves[0], leaves[leaves.length >> 1], leaves.at(-1)])) {
        if (!at) continue;
        const altered = applyJsonPatch(recorded, [{ op: 'replace', path: at, value: 'something else' }]);
        const found = oracleDifferences(recorded, altered, rulesOf(one, step));
        if (found.length === 1) seen += 1;
        else ignored += 1;
        assert.ok(found.length === 1 || hasIgnored(one, step), `${one.name}: ${at} makes ${found.length} differences`);
      }
    }
  }
  assert.ok(seen > 2_500, `only ${seen} changes were seen`);
  assert.ok(ignored < seen / 10, `${ignored} changes are ignored, ${seen} seen`);
});

function hasIgnored(one: OracleCase, step: OracleStep): boolean {
  return rulesOf(one, step).ignore.length > 0;
}

test('what differs between two runs is made equal, and nothing else', () => {
  const normaliser = new Normaliser({ namespace: 'o1234', user: 'alice' });
  const uid = '0c5d1ab0-7d56-4d8f-a3b4-5f4fd5f0ce9b';
  const service = { kind: 'Service', apiVersion: 'serving.knative.dev/v1', metadata: { name: 'a', uid } };
  normaliser.learn({ kind: 'ServiceList', apiVersion: 'serving.knative.dev/v1', items: [service] });
  normaliser.learn({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p-x7k2q', generateName: 'p-', uid: 'other' } });
  const rows: { given: unknown; made: unknown }[] = [
    { given: { owner: uid }, made: { owner: '<uid Service.serving.knative.dev/a>' } },
    { given: uid.replace('0', '1'), made: '<uid>' },
    { given: { resourceVersion: '12', managedFields: [] }, made: { resourceVersion: '<rv>' } },
    { given: 'at 2026-01-01T00:00:00Z', made: 'at <time>' },
    { given: '2026-01-01T00:00:00.1Z 2026-01-01T00:00:00+01:00', made: '<time.fraction> <time with offset>' },
    { given: 'a-00001-deployment-5d9c7f8b6d-x7k2q in o1234', made: 'a-00001-deployment-<hash>-<random> in {{ns}}' },
    { given: 'pod p-x7k2q at 10.1.2.3, not 127.0.0.1', made: 'pod p-<random> at <ip>, not 127.0.0.1' },
    { given: 'back-off 5m0s restarting', made: 'back-off <duration> restarting' },
    { given: { 'serving.knative.dev/creator': 'alice' }, made: { 'serving.knative.dev/creator': '<user>' } },
    { given: { 'serving.knative.dev/creator': 'bob' }, made: { 'serving.knative.dev/creator': 'bob' } },
    {
      given: { kind: 'Metric', metadata: { generation: 2 }, status: { observedGeneration: 2 } },
      made: {
        kind: 'Metric',
        metadata: { generation: '<generation>' },
        status: { observedGeneration: '<generation>' },
      },
    },
    {
      given: { kind: 'Metric', metadata: { generation: 2 }, status: { observedGeneration: 1 } },
      made: { kind: 'Metric', metadata: { generation: '<generation>' }, status: { observedGeneration: 1 } },
    },
    {
      given: { kind: 'Service', metadata: { generation: 2 } },
      made: { kind: 'Service', metadata: { generation: 2 } },
    },
    { given: { conditions: [{ type: 'B' }, { type: 'A' }] }, made: { conditions: [{ type: 'B' }, { type: 'A' }] } },
  ];
  for (const { given, made } of rows) assert.deepEqual(normaliser.normalise(given), made);
});
