import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#runtime/image/digest.ts';
import { type LayerRecord, lowerDirs } from '#runtime/image/store/layers.ts';
import { layerPath, storeLayout } from '#runtime/image/store/layout.ts';

const layout = storeLayout('/images');
const layer = (name: string, more: Partial<LayerRecord> = {}): LayerRecord => {
  const id = digestOf(name);
  return {
    id,
    diffId: id,
    bootId: '',
    synced: true,
    entries: 1,
    bytes: 0,
    independent: true,
    opaqueRoot: false,
    ...more,
  };
};
const dirs = (...layers: LayerRecord[]) => lowerDirs(layout, layers);
const at = (name: string) => layerPath(layout, digestOf(name));

test('the topmost first', () =>
  assert.deepEqual(dirs(layer('a'), layer('b'), layer('c')), [at('c'), at('b'), at('a')]));
test('a layer twice counts where it is on top', () =>
  assert.deepEqual(dirs(layer('a'), layer('b'), layer('a')), [at('a'), at('b')]));
test('layers without entries are left out', () =>
  assert.deepEqual(dirs(layer('a'), layer('b', { entries: 0 })), [at('a')]));
test('an opaque root hides what is below', () =>
  assert.deepEqual(dirs(layer('a'), layer('b', { opaqueRoot: true }), layer('c')), [at('c'), at('b')]));
test('an image of nothing has an empty directory', () => {
  assert.deepEqual(dirs(), [layout.emptyLayer]);
  assert.deepEqual(dirs(layer('a', { entries: 0 })), [layout.emptyLayer]);
});
test('paths are short enough for many layers in one page', () => {
  const path = layerPath(storeLayout('/var/lib/pinnace/images'), digestOf('x'));
  assert.ok((path.length + 1) * 70 < 4_000, path);
});
