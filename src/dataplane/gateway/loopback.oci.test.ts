/** Applications that listen on the loopback of their own network namespace only. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock as clock } from '#base/clock.ts';
import { endpoint, oneApp, startTestGateway } from '#dataplane/fixtures/harness.ts';
import { exchangeRaw, rawClient } from '#dataplane/fixtures/raw.ts';
import { connectInNamespace, createNetworkNamespace, removeNetworkNamespace } from '#sys/namespace.ts';
import { bringUp, findLink } from '#sys/netlink/link.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';

test('a request reaches them through their namespace, over connections that are kept', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'pinnace-netns-'));
  const namespace = path.join(directory, 'pod');
  const fd = createNetworkNamespace(namespace, () => {
    using netlink = new NetlinkSocket();
    bringUp(netlink, findLink(netlink, 'lo')?.index ?? 0);
    return listenTcp({ address: '127.0.0.1', port: 0 });
  });
  const port = boundAddress(fd)?.port ?? 0;
  let connections = 0;
  const app = http.createServer((_, answer) => answer.end('from inside'));
  app.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => app.listen({ fd }, resolve));
  const never = new AbortController().signal;
  await using gateway = await startTestGateway({
    table: oneApp([endpoint(port, { loopbackNetns: namespace })]),
    connectInNetns: (file, to) =>
      connectInNamespace({ namespace: file, address: '127.0.0.1', port: to, timeoutMs: 1_000, clock }, never),
  });
  try {
    using client = await rawClient(gateway.http);
    for (let round = 1; round <= 3; round += 1) {
      client.send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      await client.until((text) => text.split('from inside').length === round + 1);
    }
    assert.equal(connections, 1);
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
    const text = await exchangeRaw(
      gateway.http,
      'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 502 [^]*dial tcp 127\.0\.0\.1:\d+: connect: connection refused\n$/);
  } finally {
    app.close();
    removeNetworkNamespace(namespace);
    rmSync(directory, { recursive: true, force: true });
  }
});

test('what is not there is refused', async () => {
  await using gateway = await startTestGateway({
    table: oneApp([endpoint(80, { loopbackNetns: '/nowhere' })]),
    connectInNetns: (file, to) =>
      connectInNamespace(
        { namespace: file, address: '127.0.0.1', port: to, timeoutMs: 1_000, clock },
        new AbortController().signal,
      ),
  });
  const text = await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 502 /);
});
