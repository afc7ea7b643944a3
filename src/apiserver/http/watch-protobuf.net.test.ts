/** A watch in protobuf, as client-go asks for one: frames with their length before them. */
import assert from 'node:assert/strict';
import https from 'node:https';
import { test } from 'node:test';
import { decodeProtobuf } from '#apiserver/protobuf/decode.ts';
import { WireReader } from '#apiserver/protobuf/wire.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { startHttpsApi } from '#testing/https-api.ts';

const ACCEPT = 'application/vnd.kubernetes.protobuf,application/json';

interface Event {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

test('events come as frames, an error as the last one', async () => {
  await using server = await startHttpsApi({ kinds: [Namespace, ConfigMap] });
  await server.client.create(Namespace, typed(Namespace, { metadata: { name: 'a' } }));
  const watch = open(server.kubeconfig, '/api/v1/namespaces/a/configmaps?watch=true&resourceVersion=0');
  assert.equal(await watch.contentType, 'application/vnd.kubernetes.protobuf;stream=watch');
  const made = await server.client.create(
    ConfigMap,
    typed(ConfigMap, { metadata: { namespace: 'a', name: 'one' }, data: { key: 'value' } }),
  );
  await server.client.delete(ConfigMap, { namespace: 'a', name: 'one' });
  await eventually(() => watch.events().length === 2, { what: 'both events' });
  const [added, deleted] = watch.events();
  assert.equal(added?.type, 'ADDED');
  assert.deepEqual(added.object['data'], { key: 'value' });
  assert.deepEqual((added.object['metadata'] as { uid?: string }).uid, made.metadata.uid);
  assert.equal(deleted?.type, 'DELETED');
  watch.close();
});

test('a version that is yet to come and one that is no number are refused in protobuf too', async () => {
  await using server = await startHttpsApi({ kinds: [Namespace, ConfigMap] });
  const watch = open(server.kubeconfig, '/api/v1/configmaps?watch=true&resourceVersion=x');
  assert.equal(await watch.contentType, 'application/vnd.kubernetes.protobuf');
  await eventually(() => watch.body().length > 0, { what: 'the refusal' });
  const status = decodeProtobuf(watch.body(), { apiVersion: '', kind: '' });
  assert.equal(status['kind'], 'Status');
  watch.close();
});

function open(kubeconfig: string, path: string) {
  const { server, caCertificate, clientCertificate, clientKey } = loadKubeconfig(kubeconfig);
  const { hostname, port } = new URL(server);
  const type = Promise.withResolvers<string | undefined>();
  let bytes = Buffer.alloc(0);
  const credentials = { ca: caCertificate, cert: clientCertificate, key: clientKey };
  const request = https.get({ ...credentials, hostname, port, path, headers: { accept: ACCEPT } }, (response) => {
    type.resolve(response.headers['content-type']);
    response.on('data', (piece: Buffer) => (bytes = Buffer.concat([bytes, piece])));
  });
  request.on('error', type.reject);
  return {
    contentType: type.promise,
    body: () => bytes,
    events: () => [...eventsIn(bytes)],
    close: () => request.destroy(),
  };
}

function* eventsIn(bytes: Buffer): Generator<Event> {
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return;
    yield eventIn(bytes.subarray(at + 4, end));
    at = end;
  }
}

function eventIn(frame: Buffer): Event {
  const reader = new WireReader(frame);
  const type = reader.bytes(reader.tag('WatchEvent'), 'type').toString('utf8');
  const extension = new WireReader(reader.bytes(reader.tag('WatchEvent'), 'object'));
  const document = extension.bytes(extension.tag('RawExtension'), 'raw');
  return { type, object: decodeProtobuf(document, { apiVersion: '', kind: '' }) };
}
