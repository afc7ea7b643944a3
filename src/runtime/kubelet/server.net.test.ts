import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ChannelClient, request, startEndpoint } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { LocalNode } from '#runtime/kubelet/fixtures/local-node.ts';
import { KubeletServer } from '#runtime/kubelet/server.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';

test('the socket is its owner’s alone, and replaces one that was left behind', async () => {
  using node = new LocalNode();
  writeFileSync(node.socketPath, 'left behind');
  const server = await KubeletServer.start({ backend: node, socketPath: node.socketPath });
  assert.equal(statSync(node.socketPath).mode & 0o777, 0o600);
  assert.equal((await request(node.socketPath, '/healthz')).text, 'ok');
  await server[Symbol.asyncDispose]();
  assert.equal(existsSync(node.socketPath), false);
});

test('whoever is somebody else is not served, even with access', needs('root'), async () => {
  await using endpoint = await startEndpoint();
  const { socketPath, folder } = endpoint.node;
  const script = `const {chmodSync} = require('fs'); process.setgid(65534); process.setuid(65534);
    require('http').get({socketPath: ${JSON.stringify(socketPath)}, path: '/healthz'}, (a) => process.exit(a.statusCode === 200 ? 1 : 2)).on('error', () => process.exit(0));`;
  const { chmodSync } = await import('node:fs');
  chmodSync(folder, 0o777);
  chmodSync(socketPath, 0o777);
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('when the agent ends every connection does, and so does every command', async () => {
  using node = new LocalNode();
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' } }] });
  const server = await KubeletServer.start({ backend: node, socketPath: node.socketPath });
  const path = '/exec/default/talk/app?command=sleep&command=60&output=1';
  const client = await new ChannelClient(node.socketPath, path).opened();
  await eventually(() => node.driver.children.length === 1);
  await server[Symbol.asyncDispose]();
  await eventually(() => client.closeCode !== undefined);
  const [child] = node.driver.children;
  await eventually(() => child?.signalCode === 'SIGHUP');
});

test('a method that is not known here is refused', async () => {
  await using endpoint = await startEndpoint();
  const answer = await request(endpoint.node.socketPath, '/healthz', { method: 'DELETE' });
  assert.equal(answer.code, 405);
  assert.equal((await request(endpoint.node.socketPath, '/pods')).code, 404);
});
