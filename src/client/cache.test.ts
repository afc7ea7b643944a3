/** The local copy of one kind: its indexes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { typed } from '#kube/kind.ts';
import { labelsOf } from '#kube/object.ts';
import { startTestApi } from '#testing/api.ts';

const configMap = (name: string, app: string) =>
  typed(ConfigMap, { metadata: { namespace: 'default', name, labels: { app } } });

test('an index finds what is there, what comes, what changes and not what goes', async () => {
  await using api = await startTestApi();
  const cache = api.caches.of(ConfigMap);
  await api.client.create(ConfigMap, configMap('a', 'x'));
  await api.caches.start();
  cache.addIndex('app', (one) => [labelsOf(one)['app'] ?? '']);
  await api.client.create(ConfigMap, configMap('b', 'x'));
  const found = (app: string) => cache.byIndex('app', app).map((one) => one.metadata.name);
  assert.deepEqual(found('x'), ['a', 'b']);
  await api.client.modify(ConfigMap, { namespace: 'default', name: 'a' }, (one) => {
    return { ...one, metadata: { ...one.metadata, labels: { app: 'y' } } };
  });
  assert.deepEqual([found('x'), found('y')], [['b'], ['a']]);
  await api.client.remove(ConfigMap, { namespace: 'default', name: 'b' });
  assert.deepEqual(found('x'), []);
});

test('an index may be declared again, but its name does not go to another one', async () => {
  await using api = await startTestApi();
  const cache = api.caches.of(ConfigMap);
  for (let time = 0; time < 2; time += 1) cache.addIndex('app', (one) => [labelsOf(one)['app'] ?? '']);
  assert.throws(() => cache.addIndex('app', (one) => [labelsOf(one)['team'] ?? '']), /the index app of configmaps/);
});
