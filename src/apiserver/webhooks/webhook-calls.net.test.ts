/** How admission webhooks are called: connections, Services, and everything that goes wrong on the way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { typed } from '#kube/kind.ts';
import { patching, type WebhookServer, type WebhookServerOptions } from '#testing/webhook-server.ts';
import {
  configMap,
  mutating,
  namespace,
  refusalOf,
  startWebhookWorld,
  validating,
  type WebhookWorld,
} from '#testing/webhook-world.ts';

describe('calls that fail', () => {
  async function failureWith(options: WebhookServerOptions, changes: (hook: WebhookServer) => object): Promise<string> {
    await using world = await startWebhookWorld();
    const hook = await world.hook(options);
    await validating(world, 'broken', { clientConfig: hook.clientConfig(), ...changes(hook) });
    const { message, code } = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.equal(code, 500);
    const prefix = 'Internal error occurred: failed calling webhook "v0.broken.example.com": failed to call webhook: ';
    assert.ok(message.startsWith(prefix), message);
    return message.slice(prefix.length).replaceAll(String(hook.port), 'PORT');
  }

  const POST = 'Post "https://127.0.0.1:PORT/?timeout=10s": ';
  const rows: readonly [
    behaviour: string,
    says: string,
    options: WebhookServerOptions,
    changes?: (hook: WebhookServer) => object,
  ][] = [
    [
      'a certificate of somebody else',
      `${POST}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      {},
      ({ port }) => ({ clientConfig: { url: `https://127.0.0.1:${port}` } }),
    ],
    [
      'a certificate for another name',
      `${POST}tls: failed to verify certificate: x509: certificate is not valid for 127.0.0.1`,
      { names: ['elsewhere.example'] },
    ],
    [
      'a text instead of a review',
      "couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value",
      { raw: (response) => void response.end('hello') },
    ],
    [
      'a redirect',
      'the server responded with the status code 307 but did not return more information',
      { raw: (response) => void response.writeHead(307, { location: 'https://127.0.0.1:1/' }).end() },
    ],
    [
      'an error of its own',
      'an error on the server ("oh no") has prevented the request from succeeding',
      { raw: (response) => void response.writeHead(500, { 'content-type': 'text/plain' }).end('oh no\n') },
    ],
    [
      'a wrong path',
      'the server could not find the requested resource',
      { raw: (response) => void response.writeHead(404).end() },
    ],
    [
      'silence',
      'Post "https://127.0.0.1:PORT/?timeout=1s": context deadline exceeded',
      { raw: () => {} },
      () => ({ timeoutSeconds: 1 }),
    ],
    ['half an answer', `${POST}EOF`, { raw: (response) => void response.write('{', () => response.destroy()) }],
    [
      'an answer without end',
      'the answer is longer than 8388608 bytes',
      {
        raw: (response) => {
          const more = () => void (response.destroyed || response.write(' '.repeat(1 << 20), more));
          more();
        },
      },
    ],
  ];
  for (const [behaviour, says, options, changes = () => ({})] of rows) {
    test(behaviour, async () => assert.equal(await failureWith(options, changes), says));
  }

  test('nobody who listens', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    const { url } = hook.clientConfig();
    await hook[Symbol.asyncDispose]();
    await validating(world, 'absent', { clientConfig: { url } });
    const { message } = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.ok(message.endsWith(`dial tcp ${new URL(url).host}: connect: connection refused`), message);
  });

  test('are passed over under Ignore, and counted', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ raw: (response) => void response.end('?') });
    await mutating(world, 'ignored', { clientConfig: hook.clientConfig(), failurePolicy: 'Ignore' });
    await validating(world, 'ignored', { clientConfig: hook.clientConfig(), failurePolicy: 'Ignore' });
    await world.client.create(ConfigMap, configMap('a'));
    assert.equal(hook.questions.length, 2);
    assert.match(world.api.metrics.render(), /fail_open_count\{name="v0\.ignored\.example\.com",type="validating"\} 1/);
  });
});

describe('behind a Service', () => {
  async function withService(world: WebhookWorld, hook: WebhookServer, ready = true) {
    const ports = [{ name: 'https', port: 443, targetPort: hook.port }];
    await world.client.create(Service, typed(Service, { metadata: { namespace, name: 'hook' }, spec: { ports } }));
    if (!ready) return;
    const subsets = [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: hook.port }] }];
    const endpoints = { metadata: { namespace, name: 'hook' }, subsets };
    // Validation refuses endpoints on the loopback, where no pod can be.
    const object = typed(Endpoints, endpoints as never);
    await world.api.store.write({
      resource: 'endpoints',
      ref: endpoints.metadata,
      expected: 0,
      object,
      durability: 'durable',
    });
  }
  const service = { namespace, name: 'hook', path: '/check' };

  test('a ready endpoint is called, under the name of the Service', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({ names: ['hook.default.svc'] });
    await withService(world, hook);
    await validating(world, 'service', { clientConfig: { service, caBundle: hook.caBundle } });
    await world.client.create(ConfigMap, configMap('a'));
    assert.deepEqual(hook.hosts, ['hook.default.svc:443']);
    assert.deepEqual(hook.paths, ['/check?timeout=10s']);
  });

  test('without one, the request fails with its words', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    await withService(world, hook, false);
    const caBundle = hook.caBundle;
    await validating(world, 'nobody', { clientConfig: { service, caBundle } });
    const prefix = 'Internal error occurred: failed calling webhook "v0.nobody.example.com": failed to call webhook: ';
    const post = `${prefix}Post "https://hook.default.svc:443/check?timeout=10s": `;
    const nobody = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.equal(nobody.message, `${post}no endpoints available for service "hook"`);
    await world.client.delete(Service, { namespace, name: 'hook' });
    const gone = await refusalOf(world.client.create(ConfigMap, configMap('a')));
    assert.equal(gone.message, `${post}service "hook" not found`);
  });
});

describe('connections', () => {
  test('are kept, and a kept one that was closed is no failure', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook();
    await validating(world, 'kept', { clientConfig: hook.clientConfig() });
    for (const name of ['a', 'b', 'c']) await world.client.create(ConfigMap, configMap(name));
    assert.equal(hook.connections, 1);
    hook.hangUp();
    await world.client.create(ConfigMap, configMap('d'));
    assert.equal(hook.questions.length, 4);
  });

  test('many writes at once each get their answer', async () => {
    await using world = await startWebhookWorld();
    const hook = await world.hook({
      answer: async ({ name = '' }) => {
        await systemClock.sleep(Number(name.slice(1)) % 3, new AbortController().signal);
        return patching({ op: 'add', path: '/data', value: { name } });
      },
    });
    await mutating(world, 'many', { clientConfig: hook.clientConfig() });
    const names = Array.from({ length: 100 }, (_, position) => `n${position}`);
    const made = await Promise.all(names.map((name) => world.client.create(ConfigMap, configMap(name))));
    assert.deepEqual(
      made.map(({ data }) => data?.['name']),
      names,
    );
  });
});
