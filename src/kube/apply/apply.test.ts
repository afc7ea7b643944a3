import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepEqual, deepFreeze } from '#base/json.ts';
import { type Apply, applyPatch } from '#kube/apply/apply-patch.ts';
import { withoutIdleTimes } from '#kube/apply/idle-times.ts';
import { readManagers, writeManagers } from '#kube/apply/managers.ts';
import { setOf } from '#kube/apply/field-set.ts';
import { trackUpdate } from '#kube/apply/track-update.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { KubeObject, ManagedFieldsEntry } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Empty lists and maps are left out: the stored object has none, so applying one would be a change every time. */
function configMap(data: Record<string, string>, finalizers: readonly string[] = []): KubeObject {
  const metadata = { name: 'a', ...(finalizers.length > 0 ? { finalizers } : {}) };
  const members = Object.keys(data).length > 0 ? { data } : {};
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...members } as KubeObject;
}

/** The object after an apply, as it would be stored. */
function applied(live: KubeObject | undefined, config: KubeObject, options: Partial<Apply> = {}): KubeObject {
  const apply = { kind: ConfigMap, live, applied: config, manager: 'm1', force: false, nowMs: NOW_MS, ...options };
  const merged = applyPatch(deepFreeze(apply));
  const { managedFields } = merged.metadata;
  const stored = canonicalValue(apply.kind.schema, { ...merged, metadata: { ...merged.metadata, uid: 'known' } });
  const object = stored as KubeObject;
  if (managedFields) object.metadata.managedFields = managedFields;
  return object;
}

function ownersOf({ metadata }: KubeObject): string[] {
  return (metadata.managedFields ?? []).map(
    ({ manager, operation, fieldsV1 }) => `${manager} ${operation} ${JSON.stringify(fieldsV1)}`,
  );
}

const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { noNullPrototype: true });
const finalizers = fc.uniqueArray(fc.constantFrom<string>('x/a', 'x/b', 'x/c', 'x/d'));
const config = fc.tuple(data, finalizers).map(([values, names]) => configMap(values, names));

function dataOf(object: KubeObject): Record<string, string> {
  return (object as KubeObject & { data?: Record<string, string> }).data ?? {};
}

test('law: applying the same again changes nothing, not even a time', () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = applied(applied(undefined, first), second, { manager: 'm2', force: true });
      const again = applied(live, second, { manager: 'm2', nowMs: NOW_MS + 60_000 });
      assert.ok(deepEqual(again, live), `${JSON.stringify(live)} became ${JSON.stringify(again)}`);
    }),
  );
});

test('law: what is applied with force is there, and what its manager no longer applies and nobody else owns is gone', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('m1', 'm2'), config), { minLength: 1, maxLength: 6 }), (steps) => {
      let live: KubeObject | undefined;
      const latest = new Map<string, KubeObject>();
      for (const [manager, next] of steps) {
        live = applied(live, next, { manager, force: true });
        latest.set(manager, next);
        for (const [key, value] of Object.entries(dataOf(next))) assert.equal(dataOf(live)[key], value);
        const wanted = new Set([...latest.values()].flatMap((one) => Object.keys(dataOf(one))));
        assert.deepEqual(
          Object.keys(dataOf(live)).filter((key) => !wanted.has(key)),
          [],
        );
        const names = new Set([...latest.values()].flatMap((one) => one.metadata.finalizers ?? []));
        assert.deepEqual([...(live.metadata.finalizers ?? [])].sort(), [...names].sort());
      }
    }),
  );
});

test('law: applied elements come in the order in which they are applied', () => {
  fc.assert(
    fc.property(finalizers, finalizers, (first, second) => {
      const live = applied(applied(undefined, configMap({}, first)), configMap({}, second), { manager: 'm2' });
      const wanted = new Set<string>(second);
      assert.deepEqual(
        (live.metadata.finalizers ?? []).filter((name) => wanted.has(name)),
        second,
      );
    }),
  );
});

test('law: a conflict names exactly the fields that others own and that would change', () => {
  fc.assert(
    fc.property(data, data, (theirs, ours) => {
      const live = applied(undefined, configMap(theirs));
      const differing = Object.keys(ours).filter((key) => key in theirs && theirs[key] !== ours[key]);
      const fields = conflictsOf(() => applied(live, configMap(ours), { manager: 'm2' }));
      assert.deepEqual(fields, differing.map((key) => `.data.${key}`).sort());
    }),
  );
});

function conflictsOf(run: () => unknown): string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return (error.status.details?.causes ?? []).map(({ field }) => field ?? '').sort();
  }
}

test('managedFields read back as they are written', () => {
  const live = applied(undefined, configMap({ '<&>': '1' }, ['x/"']));
  const entries = live.metadata.managedFields ?? [];
  assert.deepEqual(writeManagers(readManagers(entries) ?? new Map()), entries);
  assert.deepEqual(entries, [
    {
      manager: 'm1',
      operation: 'Apply',
      apiVersion: 'v1',
      time: '2026-01-02T03:04:05Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:<&>': {} }, 'f:metadata': { 'f:finalizers': { 'v:"x/\\""': {} } } },
    },
  ]);
});

test('entries that cannot be understood count as none', () => {
  const rows: Partial<ManagedFieldsEntry>[] = [
    { operation: 'Nope' },
    { apiVersion: '' },
    { fieldsType: 'FieldsV2' },
    { fieldsV1: { x: {} } },
    { fieldsV1: { 'k:{': {} } },
    { fieldsV1: { 'i:x': {} } },
    { fieldsV1: 'text' },
  ];
  const good: ManagedFieldsEntry = {
    manager: 'm',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': {} },
  };
  assert.equal(readManagers([good])?.size, 1);
  for (const change of rows) assert.equal(readManagers([{ ...good, ...change }]), undefined, JSON.stringify(change));
  assert.equal(
    readManagers([{ ...good, fieldsV1: { 'q:new': {} } }])?.size,
    1,
    'a sort of steps from the future is skipped',
  );
});

function updated(before: KubeObject | undefined, after: KubeObject, manager: string): KubeObject {
  const managedFields = trackUpdate({ kind: ConfigMap, before, after, manager, nowMs: NOW_MS });
  const { managedFields: _, ...metadata } = after.metadata;
  return { ...after, metadata: { ...metadata, ...(managedFields ? { managedFields } : {}) } };
}

test('updates take fields over; a stored object without managers stays without', () => {
  const created = updated(undefined, configMap({ a: '1', b: '1' }), 'creator');
  const changed = updated(created, configMap({ a: '2', b: '1' }), 'editor');
  assert.deepEqual(ownersOf(changed).sort(), [
    'creator Update {"f:data":{".":{},"f:b":{}}}',
    'editor Update {"f:data":{"f:a":{}}}',
  ]);
  assert.deepEqual(ownersOf(updated(configMap({ a: '1' }), configMap({ a: '2' }), 'editor')), []);
  const reset = { ...changed, metadata: { ...changed.metadata, managedFields: [{}] } };
  assert.deepEqual(ownersOf(updated(changed, reset, 'editor')), []);
});

test('an apply onto an object without managers leaves the rest to before-first-apply', () => {
  const live = applied(configMap({ a: '1', b: '1' }), configMap({ a: '1' }));
  assert.deepEqual(ownersOf(live), [
    'm1 Apply {"f:data":{"f:a":{}}}',
    'before-first-apply Update {"f:data":{".":{},"f:a":{},"f:b":{}}}',
  ]);
});

test('the oldest updates are put together when there are more than ten', () => {
  let live = updated(undefined, configMap({ k0: '0' }), 'm0');
  for (let index = 1; index <= 12; index += 1) {
    const values = { ...dataOf(live), [`k${index}`]: '1' };
    const after = { ...configMap(values), metadata: live.metadata };
    const managedFields = trackUpdate({
      kind: ConfigMap,
      before: live,
      after,
      manager: `m${index}`,
      nowMs: NOW_MS + index * 1000,
    });
    live = { ...after, metadata: { ...after.metadata, ...(managedFields ? { managedFields } : {}) } };
  }
  const names = (live.metadata.managedFields ?? []).map(({ manager }) => manager);
  assert.equal(names.length, 10);
  assert.equal(names[0], 'ancient-changes');
  assert.ok(names.includes('m12') && !names.includes('m0'));
});

test('fields that the endpoint resets are nobody’s', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { nodeName: 'n' },
    status: { phase: 'Running' },
  };
  const options = { kind: Pod, resetFields: setOf(['f:status']) };
  assert.deepEqual(ownersOf(applied(undefined, pod as KubeObject, options)), ['m1 Apply {"f:spec":{"f:nodeName":{}}}']);
});

test('a configuration that does not fit is refused in Kubernetes’ words', () => {
  const wrong = (members: object): KubeObject => ({ ...configMap({}), ...members });
  const who = 'failed to create typed patch object (/a; /v1, Kind=ConfigMap): ';
  const rows: [config: KubeObject, code: number, message: string][] = [
    [wrong({ kind: 'Secret' }), 400, 'invalid object type: /v1, Kind=Secret'],
    [{} as KubeObject, 400, 'invalid object type: /, Kind='],
    [wrong({ metadata: { name: 'a', managedFields: [] } }), 400, 'metadata.managedFields must be nil'],
    [wrong({ datum: {} }), 500, `${who}.datum: field not declared in schema`],
    [wrong({ data: [] }), 500, `${who}.data: expected map, got &{[]}`],
    [wrong({ data: { a: 5 } }), 500, `${who}.data.a: expected string, got &value.valueUnstructured{Value:5}`],
    [wrong({ immutable: 'x' }), 500, `${who}.immutable: expected boolean, got &{x}`],
    [
      wrong({ metadata: { name: 'a', generation: 'x' } }),
      500,
      `${who}.metadata.generation: expected numeric (int or float), got string`,
    ],
    [configMap({}, ['x', 'x']), 500, `${who}.metadata.finalizers: duplicate entries for key [="x"]`],
    [
      wrong({ data: { a: 1, b: [] }, datum: 1 }),
      500,
      `${who}errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n  .data.b: expected string, got &value.valueUnstructured{Value:[]interface {}{}}\n  .datum: field not declared in schema`,
    ],
  ];
  for (const [config, code, message] of rows) assert.throws(() => applied(undefined, config), { code, message });
});

test('a quantity that is kept in another form is no change when it is applied again', () => {
  const resources = { limits: { cpu: '1000m' } };
  const pod = { ...configMap({}), kind: 'Pod', spec: { containers: [{ name: 'a', resources }] } };
  const live = applied(undefined, pod, { kind: Pod });
  const again = applied(live, pod, { kind: Pod, nowMs: NOW_MS + 60_000 });
  assert.ok(!deepEqual(again, live));
  assert.ok(deepEqual(withoutIdleTimes(live, again), live));
  const other = { ...pod, metadata: { name: 'a', labels: { x: '1' } } };
  const changed = applied(live, other, { kind: Pod, nowMs: NOW_MS + 60_000 });
  assert.equal(withoutIdleTimes(live, changed), changed);
});
