/**
 * What programs on `@kubernetes/client-node` do, each thing a named check: `ok NAME` or `failed NAME: why`, a line each.
 * KUBECONFIG leads to the server. Plain JavaScript, so that nothing but this needs the package.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';

const CHECK_LIMIT_MS = 40_000;
const POLL_MS = 20;
const GROUP = 'serving.knative.dev';

const config = new KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(CoreV1Api);

const configMap = (name, labels = {}) => ({ metadata: { name, labels }, data: { key: 'first' } });
const app = { name: 'app', image: 'test/app:1', imagePullPolicy: 'IfNotPresent' };

const checks = {
  async objects(namespace) {
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('one', { a: 'b' }) });
    assert.ok(made.metadata.creationTimestamp instanceof Date);
    made.data.key = 'second';
    await core.replaceNamespacedConfigMap({ namespace, name: 'one', body: made });
    const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: 'a=b' });
    assert.deepEqual(
      listed.items.map(({ data }) => data.key),
      ['second'],
    );
    await core.deleteNamespacedConfigMap({ namespace, name: 'one' });
    const version = await config.makeApiClient(VersionApi).getCode();
    assert.equal(version.major, '1');
  },

  async errors(namespace) {
    await core.createNamespacedConfigMap({ namespace, body: configMap('one') });
    const rejects = (work, code, reason) =>
      assert.rejects(work, (error) => error.code === code && JSON.parse(error.body).reason === reason);
    await rejects(core.readNamespacedConfigMap({ namespace, name: 'nobody' }), 404, 'NotFound');
    await rejects(core.createNamespacedConfigMap({ namespace, body: configMap('one') }), 409, 'AlreadyExists');
    await rejects(core.createNamespacedConfigMap({ namespace, body: configMap('Upper') }), 422, 'Invalid');
  },

  async patches(namespace) {
    await core.createNamespacedConfigMap({ namespace, body: configMap('one') });
    const bodies = {
      [PatchStrategy.JsonPatch]: [{ op: 'add', path: '/data/json', value: 'yes' }],
      [PatchStrategy.MergePatch]: { data: { merge: 'yes' } },
      [PatchStrategy.StrategicMergePatch]: { data: { strategic: 'yes' } },
      [PatchStrategy.ServerSideApply]: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'one' },
        data: { apply: 'yes' },
      },
    };
    for (const [type, body] of Object.entries(bodies)) {
      const request = { namespace, name: 'one', body, fieldManager: 'client-node' };
      await core.patchNamespacedConfigMap(request, setHeaderOptions('Content-Type', type));
    }
    const { data } = await core.readNamespacedConfigMap({ namespace, name: 'one' });
    assert.deepEqual(Object.keys(data).sort(), ['apply', 'json', 'key', 'merge', 'strategic']);
  },

  async pages(namespace) {
    const names = Array.from({ length: 7 }, (_, at) => `one-${at}`);
    for (const name of names) await core.createNamespacedConfigMap({ namespace, body: configMap(name, { a: 'b' }) });
    const seen = [];
    let _continue;
    do {
      const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'a=b', limit: 3, _continue });
      seen.push(...page.items.map(({ metadata }) => metadata.name));
      ({ _continue } = page.metadata);
    } while (_continue);
    assert.deepEqual(seen, names);
  },

  async watch(namespace) {
    const seen = [];
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const controller = await new Watch(config).watch(
      path,
      { labelSelector: 'a=b' },
      (phase, object) => seen.push(`${phase} ${object.metadata.name}`),
      () => {},
    );
    await core.createNamespacedConfigMap({ namespace, body: configMap('one', { a: 'b' }) });
    await core.deleteNamespacedConfigMap({ namespace, name: 'one' });
    await eventually(() => seen.length === 2);
    controller.abort();
    assert.deepEqual(seen, ['ADDED one', 'DELETED one']);
  },

  async informer(namespace) {
    await core.createNamespacedConfigMap({ namespace, body: configMap('before', { a: 'b' }) });
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'a=b' });
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, 'a=b');
    const seen = [];
    for (const verb of ['add', 'update', 'delete']) {
      informer.on(verb, ({ metadata }) => seen.push(`${verb} ${metadata.name}`));
    }
    await informer.start();
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('after', { a: 'b' }) });
    await core.replaceNamespacedConfigMap({ namespace, name: 'after', body: { ...made, data: { key: 'second' } } });
    await core.deleteNamespacedConfigMap({ namespace, name: 'before' });
    await eventually(() => seen.length === 4);
    assert.deepEqual(seen, ['add before', 'add after', 'update after', 'delete before']);
    assert.equal(informer.get('after', namespace).data.key, 'second');
    await informer.stop();
  },

  async 'any-kind'(namespace) {
    const api = KubernetesObjectApi.makeApiClient(config);
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace } };
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [app], terminationGracePeriodSeconds: 0 } };
    await api.create({ ...body, spec: { replicas: 1, selector: { matchLabels: labels }, template } });
    const apps = config.makeApiClient(AppsV1Api);
    await eventually(async () => {
      const { status } = await apps.readNamespacedDeploymentStatus({ namespace, name: 'web' });
      return status.availableReplicas === 1;
    });
    await api.patch(
      { ...body, spec: { replicas: 0 } },
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.MergePatch,
    );
    assert.equal((await api.read(body)).spec.replicas, 0);
    await api.delete(body);
  },

  async 'knative-service'(namespace) {
    const custom = config.makeApiClient(CustomObjectsApi);
    const place = { group: GROUP, version: 'v1', namespace, plural: 'services' };
    const spec = { template: { spec: { containers: [app] } } };
    const body = { apiVersion: `${GROUP}/v1`, kind: 'Service', metadata: { name: 'one' }, spec };
    await custom.createNamespacedCustomObject({ ...place, body });
    const ready = ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    await eventually(async () => ready(await custom.getNamespacedCustomObject({ ...place, name: 'one' })));
    const listed = await custom.listNamespacedCustomObject(place);
    assert.equal(listed.items.length, 1);
    await custom.deleteNamespacedCustomObject({ ...place, name: 'one', propagationPolicy: 'Foreground' });
    await eventually(async () => (await custom.listNamespacedCustomObject(place)).items.length === 0);
  },

  async 'logs-exec-and-port-forward'(namespace) {
    const containers = [{ ...app, args: [] }];
    const spec = { containers, terminationGracePeriodSeconds: 0 };
    await core.createNamespacedPod({ namespace, body: { metadata: { name: 'box' }, spec } });
    await eventually(async () => (await core.readNamespacedPod({ namespace, name: 'box' })).status.phase === 'Running');

    const output = new PassThrough();
    const input = Readable.from(['over and back\n']);
    const { promise, resolve } = Promise.withResolvers();
    await new Exec(config).exec(namespace, 'box', 'app', ['/app', 'cat'], output, null, input, false, resolve);
    const first = await once(output, 'data');
    assert.equal(String(first[0]), 'over and back\n');
    assert.equal((await promise).status, 'Success');

    const failed = await new Promise((done) => {
      void new Exec(config).exec(
        namespace,
        'box',
        'app',
        ['/app', 'fail', '7'],
        null,
        new PassThrough(),
        null,
        false,
        done,
      );
    });
    assert.equal(failed.details.causes[0].message, '7');

    const forward = new PortForward(config);
    const server = net.createServer(
      (socket) => void forward.portForward(namespace, 'box', [8080], socket, null, socket),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { connection: 'close' } });
      return (await answer.text()).startsWith('Hello');
    });
    server.close();

    const log = new PassThrough();
    await new Log(config).log(namespace, 'box', 'app', log, { follow: false, tailLines: 5 });
    assert.equal(typeof (await text(log)), 'string');
  },
};

async function eventually(condition) {
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      if (error.code !== 404 && error.cause === undefined) throw error;
    }
    await sleep(POLL_MS);
  }
}

async function run(name, check) {
  const { metadata } = await core.createNamespace({ body: { metadata: { generateName: 'client-node-' } } });
  try {
    const late = sleep(CHECK_LIMIT_MS, undefined, { ref: false }).then(() =>
      Promise.reject(new Error('it takes too long')),
    );
    await Promise.race([check(metadata.name), late]);
    process.stdout.write(`ok ${name}\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`failed ${name}: ${error.stack.replaceAll('\n', ' ')}\n`);
  } finally {
    await core.deleteNamespace({ name: metadata.name });
  }
}

for (const [name, check] of Object.entries(checks)) await run(name, check);
process.exit();
