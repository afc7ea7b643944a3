/** The local copy of one kind: its indexes, and how it follows a server that fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { typed } from '#kube/kind.ts';
import { labelsOf } from '#kube/object.ts';
import { expired, serviceUnavailable, type StatusError, tooManyRequests } from '#kube/status.ts';
import { silentLogger } from '#base/log.ts';
import { Cache } from '#client/cache.ts';
import { Client } from '#client/client.ts';
import type { ApiRequest, Subscription, Transport, WatchRequest, WatchSink } from '#client/transport.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { settle } from '#testing/fake-clock.ts';

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

/** Lists fail while there are failures left; watches end when they are told to. */
class Unreliable implements Transport {
  readonly #inner: Transport;
  readonly failures: StatusError[] = [];
  lists = 0;
  #sink: WatchSink | undefined;
  #watch: Subscription | undefined;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async request(request: ApiRequest, signal?: AbortSignal) {
    if (request.verb === 'list') this.lists += 1;
    const failure = this.failures.shift();
    if (failure) throw failure;
    return this.#inner.request(request, signal);
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    this.#sink = sink;
    this.#watch = this.#inner.watch(request, sink);
    return this.#watch;
  }

  endWatch(error?: StatusError): void {
    this.#watch?.close();
    this.#sink?.onEnd(error);
  }
}

function followed(api: TestApi): { cache: Cache<ConfigMap>; server: Unreliable } {
  const server = new Unreliable(api.transport);
  return {
    cache: new Cache(ConfigMap, { client: new Client(server), clock: api.clock, logger: silentLogger }),
    server,
  };
}

test('failed lists back off, but never for longer than the server asks', async () => {
  await using api = await startTestApi();
  const { cache, server } = followed(api);
  using _ = cache;
  const down = Array.from({ length: 6 }, () => serviceUnavailable('down'));
  server.failures.push(...down, tooManyRequests('storage is (re)initializing', 1));
  cache.start();
  for (const delayMs of [50, 100, 200, 400, 800, 1_600]) {
    await settle();
    const { lists } = server;
    await api.clock.advance(delayMs - 1);
    assert.equal(server.lists, lists, `before ${delayMs} ms`);
    await api.clock.advance(1);
    assert.equal(server.lists, lists + 1, `after ${delayMs} ms`);
  }
  await settle();
  await api.clock.advance(1_000);
  assert.equal(cache.isSynced, true);
});

test('a watch whose version is too old, or that broke, is begun anew by a list; what was missed is there', async () => {
  await using api = await startTestApi();
  const { cache, server } = followed(api);
  using _ = cache;
  cache.start();
  await cache.synced;
  const names = () => cache.list('default').map(({ metadata }) => metadata.name);
  for (const [index, error] of [expired('too old resource version'), serviceUnavailable('gone')].entries()) {
    server.endWatch(error);
    const name = `missed-${index}`;
    await api.client.create(ConfigMap, configMap(name, 'x'));
    await settle();
    await api.clock.advance(50);
    await settle();
    assert.ok(names().includes(name), name);
    assert.equal(server.lists, index + 2);
  }
});
