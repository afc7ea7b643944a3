/** Laws of server-side apply that speak of two managers at once, on lists with keys, sets and maps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepEqual, deepFreeze, isObject } from '#base/json.ts';
import { applyPatch } from '#kube/apply/apply-patch.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { KubeObject } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const MANAGERS = ['m1', 'm2'] as const;
type Manager = (typeof MANAGERS)[number];

interface Wish {
  readonly labels: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly images: Readonly<Record<string, string>>;
}

const text = fc.constantFrom('1', '2');

function wish(names: readonly string[]): fc.Arbitrary<Wish> {
  const some = fc.dictionary(fc.constantFrom(...names), text, { noNullPrototype: true });
  const finalizers = fc.uniqueArray(fc.constantFrom(...names.map((name) => `x/${name}`)));
  return fc.record({ labels: some, finalizers, images: some });
}

const anything = wish(['a', 'b', 'c']);

/** Empty maps and lists are left out: they would be a change each time. */
function configOf({ labels, finalizers, images }: Wish): KubeObject {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'd',
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(finalizers.length > 0 ? { finalizers } : {}),
    },
    ...(containers.length > 0 ? { spec: { template: { spec: { containers } } } } : {}),
  } as KubeObject;
}

function apply(live: KubeObject | undefined, wanted: Wish, manager: Manager, force = false): KubeObject {
  const request = { kind: Deployment, live, applied: configOf(wanted), manager, force, nowMs: NOW_MS };
  const merged = applyPatch(deepFreeze(request));
  const { managedFields } = merged.metadata;
  const stored = canonicalValue(Deployment.schema, { ...merged, metadata: { ...merged.metadata, uid: 'known' } });
  const object = stored as KubeObject;
  if (managedFields) object.metadata.managedFields = managedFields;
  return object;
}

/** What the object says, in the terms of a wish. */
function wishOf(object: KubeObject): Wish {
  const { spec } = object as { spec?: { template?: { spec?: { containers?: { name: string; image: string }[] } } } };
  const containers = spec?.template?.spec?.containers ?? [];
  return {
    labels: object.metadata.labels ?? {},
    finalizers: [...(object.metadata.finalizers ?? [])].sort(),
    images: Object.fromEntries(containers.map(({ name, image }) => [name, image])),
  };
}

function ownedBy(object: KubeObject, manager: Manager): unknown {
  return object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;
}

function same(left: unknown, right: unknown, why = ''): void {
  assert.ok(deepEqual(left, right), `${JSON.stringify(left)} is not ${JSON.stringify(right)} ${why}`);
}

test('law: managers who wish for different fields can come in any order', () => {
  fc.assert(
    fc.property(wish(['a', 'b']), wish(['c', 'd']), (first, second) => {
      const oneWay = apply(apply(undefined, first, 'm1'), second, 'm2');
      const theOther = apply(apply(undefined, second, 'm2'), first, 'm1');
      same(wishOf(oneWay), wishOf(theOther));
      for (const manager of MANAGERS) same(ownedBy(oneWay, manager), ownedBy(theOther, manager), manager);
      same(wishOf(oneWay).labels, { ...first.labels, ...second.labels });
      same(wishOf(oneWay).images, { ...first.images, ...second.images });
    }),
  );
});

test('law: whoever forces a value owns it alone, and the other is told when it comes back', () => {
  fc.assert(
    fc.property(text, text, (theirs, ours) => {
      fc.pre(theirs !== ours);
      const label = (value: string): Wish => ({ labels: { a: value }, finalizers: [], images: {} });
      const live = apply(apply(undefined, label(theirs), 'm1'), label(ours), 'm2', true);
      assert.equal(wishOf(live).labels['a'], ours);
      same(ownedBy(live, 'm2'), { 'f:metadata': { 'f:labels': { 'f:a': {} } } });
      assert.equal(JSON.stringify(ownedBy(live, 'm1') ?? {}).includes('f:a'), false);
      assert.throws(
        () => apply(live, label(theirs), 'm1'),
        (error) => error instanceof StatusError && error.code === 409 && error.message.includes('"m2"'),
      );
    }),
  );
});

test('law: what one gives up stays as long as another owns it, and goes with the last', () => {
  const nothing: Wish = { labels: {}, finalizers: [], images: {} };
  fc.assert(
    fc.property(anything, anything, fc.constantFrom(...MANAGERS), (one, other, leaving) => {
      const wishes = { m1: one, m2: other };
      const both = apply(apply(undefined, one, 'm1', true), other, 'm2', true);
      const staying = leaving === 'm1' ? 'm2' : 'm1';
      const left = apply(both, nothing, leaving);
      const held = wishOf(left);
      // The other's forced values may have replaced this one's, which then are no longer its own.
      const kept = staying === 'm2' ? wishes.m2 : withoutReplaced(wishes.m1, wishes.m2);
      same(held.labels, kept.labels);
      same(held.finalizers, [...kept.finalizers].sort());
      same(held.images, kept.images);
      same(wishOf(apply(left, nothing, staying)), nothing);
    }),
  );
});

/** What is left of the first manager's wish after the second forced its own, and left. */
function withoutReplaced(first: Wish, second: Wish): Wish {
  const own = (mine: Readonly<Record<string, string>>, theirs: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(mine).filter(([name, value]) => (theirs[name] ?? value) === value));
  return {
    labels: own(first.labels, second.labels),
    finalizers: first.finalizers,
    // A container whose image was taken over remains by its name, which both own.
    images: Object.fromEntries(
      Object.entries(first.images).map(([name, image]) => {
        const isReplaced = (second.images[name] ?? image) !== image;
        return [name, isReplaced ? undefined : image] as [string, string];
      }),
    ),
  };
}

test('law: the same wish again writes nothing, whoever else came in between with other fields', () => {
  fc.assert(
    fc.property(wish(['a', 'b']), wish(['c', 'd']), (mine, theirs) => {
      const live = apply(apply(undefined, mine, 'm1'), theirs, 'm2');
      same(apply(live, mine, 'm1'), live);
      same(apply(live, theirs, 'm2'), live);
    }),
  );
});

test('law: no field is owned that the object does not have', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...MANAGERS), anything), { maxLength: 6 }), (steps) => {
      let live: KubeObject | undefined;
      for (const [manager, wanted] of steps) live = apply(live, wanted, manager, true);
      if (!live) return;
      const labels = live.metadata.labels ?? {};
      for (const manager of MANAGERS) {
        const owned = ownedBy(live, manager);
        const metadata = isObject(owned) && isObject(owned['f:metadata']) ? owned['f:metadata'] : {};
        const names = Object.keys(isObject(metadata['f:labels']) ? metadata['f:labels'] : {}).filter(
          (one) => one !== '.',
        );
        for (const name of names) assert.ok(name.slice('f:'.length) in labels, name);
      }
    }),
  );
});
