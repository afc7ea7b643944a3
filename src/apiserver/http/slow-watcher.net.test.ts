/** A watcher that does not read: what it may leave lying is bounded, then it is cut off; others notice nothing. */
import assert from 'node:assert/strict';
import tls from 'node:tls';
import { test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { startHttpsApi } from '#testing/https-api.ts';

const OBJECT_BYTES = 900_000;
/** Beyond the limit and what the kernel keeps for a connection on loopback. */
const OBJECTS = 40;
const PATH = '/api/v1/configmaps?watch=true&resourceVersion=0';

test('a watcher that reads nothing is told and closed; one that reads has everything', async () => {
  const clock = new FakeClock();
  await using server = await startHttpsApi({ kinds: [Namespace, ConfigMap], clock });
  await server.client.create(Namespace, typed(Namespace, { metadata: { name: 'a' } }));
  const slow = await connect(server.kubeconfig);
  slow.once('data', () => slow.pause());
  const quick = await connect(server.kubeconfig);
  let text = '';
  quick.on('data', (piece: Buffer) => (text += piece.toString('latin1')));
  for (let number = 0; number < OBJECTS; number += 1) {
    const data = { text: 'x'.repeat(OBJECT_BYTES) };
    await server.client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace: 'a', name: `n${number}` }, data }));
    // The quick one keeps up.
    await eventually(() => text.includes(`"name":"n${number}"`), { what: 'the event' });
  }
  await clock.advance(5_000);
  const rest: Buffer[] = [];
  slow.on('data', (piece: Buffer) => rest.push(piece)).resume();
  await eventually(() => slow.destroyed, { what: 'the slow watcher is closed', timeoutMs: 20_000 });
  const received = Buffer.concat(rest).toString('latin1');
  assert.ok(received.split('"type":"ADDED"').length - 1 < OBJECTS, 'the slow watcher got everything');
  assert.ok(!quick.destroyed);
  quick.destroy();
});

async function connect(kubeconfig: string): Promise<tls.TLSSocket> {
  const { server, caCertificate, clientCertificate, clientKey } = loadKubeconfig(kubeconfig);
  const { hostname, port } = new URL(server);
  const socket = tls.connect({
    host: hostname,
    port: Number(port),
    ca: caCertificate,
    cert: clientCertificate,
    key: clientKey,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => resolve());
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.write(`GET ${PATH} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  return socket;
}
