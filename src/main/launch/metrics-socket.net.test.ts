/** The gateway's figures, by way of its socket, in what the API answers to a scrape. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { readMetrics, serveMetrics } from '#main/launch/metrics-socket.ts';
import { startHttpsApi } from '#testing/https-api.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const signal = new AbortController().signal;
const FIGURES = '# HELP pinnace_gateway_connections Open\n# TYPE pinnace_gateway_connections gauge\n';

test('what a gateway shows is read, also after one that was killed; none shows nothing', async () => {
  using folder = new TemporaryFolder();
  const socketPath = folder.at('gateway.sock');
  assert.equal(await readMetrics(socketPath), '');
  writeFileSync(socketPath, '');
  const gateway = await serveMetrics(socketPath, () => FIGURES);
  assert.equal(await readMetrics(socketPath), FIGURES);
  await gateway[Symbol.asyncDispose]();
  assert.equal(existsSync(socketPath), false);
  assert.equal(await readMetrics(socketPath), '');
});

test('/metrics has the figures of control and of the gateway', async () => {
  using folder = new TemporaryFolder();
  const socketPath = folder.at('gateway.sock');
  await using api = await startHttpsApi({ kinds: [ConfigMap], http: { otherMetrics: () => readMetrics(socketPath) } });
  using transport = new HttpTransport({ access: loadKubeconfig(api.kubeconfig), userAgent: 'test' });
  const scrape = async () => (await transport.send({ method: 'GET', path: '/metrics' }, signal)).body;
  const alone = await scrape();
  assert.match(alone, /^# TYPE apiserver_request_total counter$/m);
  assert.doesNotMatch(alone, /pinnace_gateway/);
  await using _gateway = await serveMetrics(socketPath, () => FIGURES);
  const together = await scrape();
  assert.match(together, /^# TYPE apiserver_request_total counter$/m);
  assert.ok(together.endsWith(`\n${FIGURES}`));
});
