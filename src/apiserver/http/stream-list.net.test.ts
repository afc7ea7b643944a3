/** Long lists: the same text as short ones, plain and compressed; others are served meanwhile; whoever takes nothing goes. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';

const OBJECTS = 1_050;
const OBJECT_BYTES = 20_000;
const PATH = '/api/v1/namespaces/a/configmaps';

const clock = new FakeClock();
let server: HttpsApi;
before(async () => {
  server = await startHttpsApi({ kinds: [Namespace, ConfigMap], clock });
  await server.client.create(Namespace, typed(Namespace, { metadata: { name: 'a' } }));
  for (let number = 0; number < OBJECTS; number += 1) {
    const data = { text: `é${'x'.repeat(OBJECT_BYTES)}` };
    await server.client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace: 'a', name: `n${number}` }, data }));
  }
});
after(() => server[Symbol.asyncDispose]());

interface List {
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly data: object; kind?: string }[];
}

test('plain and compressed are the same list, whole and in order', async () => {
  const plain = await get(PATH);
  const zipped = await get(PATH, { 'accept-encoding': 'gzip' });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.equal(plain.headers['content-type'], 'application/json');
  const text = plain.body.toString('utf8');
  assert.equal(gunzipSync(zipped.body).toString('utf8'), text);
  const list = JSON.parse(text) as List;
  assert.equal(list.kind, 'ConfigMapList');
  assert.equal(list.items.length, OBJECTS);
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata.name),
    list.items.map(({ metadata }) => metadata.name).toSorted(),
  );
  assert.ok(list.items.every(({ kind }) => kind === undefined));
});

test('pages of a long list are the list', async () => {
  const first = JSON.parse((await get(`${PATH}?limit=700`)).body.toString()) as List;
  const rest = await get(`${PATH}?limit=700&continue=${encodeURIComponent(first.metadata.continue ?? '')}`);
  assert.equal(first.items.length + (JSON.parse(rest.body.toString()) as List).items.length, OBJECTS);
});

test('a client that takes nothing for a minute is cut off', async () => {
  const { hostname, port, credentials } = access();
  const opened = Promise.withResolvers<IncomingMessage>();
  https.get({ ...credentials, hostname, port, path: PATH, agent: false }, opened.resolve).on('error', opened.reject);
  const response = await opened.promise;
  response.pause();
  await eventually(() => clock.pending > 0, { what: 'the list waits for its client' });
  await clock.advance(60_000);
  const failed = new Promise((resolve) => response.once('error', resolve));
  response.resume();
  assert.match(String(await failed), /aborted/);
});

function access() {
  const { server: url, caCertificate, clientCertificate, clientKey } = loadKubeconfig(server.kubeconfig);
  const { hostname, port } = new URL(url);
  return { hostname, port, credentials: { ca: caCertificate, cert: clientCertificate, key: clientKey } };
}

function get(path: string, headers: Record<string, string> = {}) {
  const { hostname, port, credentials } = access();
  const answer = Promise.withResolvers<{ headers: Record<string, unknown>; body: Buffer }>();
  const request = https.get({ ...credentials, hostname, port, path, headers, agent: false }, (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('end', () => answer.resolve({ headers: response.headers, body: Buffer.concat(pieces) }));
  });
  request.on('error', answer.reject);
  return answer.promise;
}
