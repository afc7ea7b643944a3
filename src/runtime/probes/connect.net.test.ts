import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { podConnector, type PodConnector } from '#runtime/probes/connect.ts';

const OWN_NAMESPACE = '/proc/self/ns/net';
const { signal } = new AbortController();

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  await using server = net.createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** Tries again and again; `at` runs while the attempt of that number is under way. */
async function connectedAt(
  connector: PodConnector,
  address: { host: string; port: number },
  at: (attempt: number) => void,
) {
  for (let attempt = 1; attempt < 100; attempt += 1) {
    const connecting = connector.connect(address.port, address.host, signal);
    at(attempt);
    const socket = await connecting.catch(() => undefined);
    socket?.destroy();
    if (socket) return attempt;
  }
  return assert.fail('never connected');
}

test('an application that listens on loopback only is found from inside', async () => {
  await using server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const connector = podConnector(OWN_NAMESPACE, systemClock);
  await connectedAt(connector, { host: '127.0.0.2', port }, () => undefined);
  assert.equal(connector.usesLoopback, true);
});

test('one that begins to listen everywhere while it is looked for is not taken for one that uses loopback', async () => {
  const port = await freePort();
  await using server = net.createServer();
  const connector = podConnector(OWN_NAMESPACE, systemClock);
  // The address has refused by the time at which the listener is there, and the look inside is still to come.
  const attempt = await connectedAt(connector, { host: '127.0.0.2', port }, (number) => {
    if (number === 8) server.listen(port, '0.0.0.0');
  });
  assert.equal(attempt, 8);
  assert.equal(connector.usesLoopback, false);
});

test('an application that resets every connection on its loopback disturbs nobody', async () => {
  // Every other one at once, the rest a little later.
  const code = `let count = 0;
    require('node:net').createServer((socket) => count++ % 2 ? socket.resetAndDestroy() : setTimeout(() => socket.resetAndDestroy(), 5))
    .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)); })`;
  const hostile = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(hostile.stdout, 'data')) as [Buffer];
  const connector = podConnector(OWN_NAMESPACE, systemClock);
  // An error that nobody listens for would end this process.
  let connections = 0;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const socket = await connector.connect(Number(port), '127.0.0.2', signal).catch(() => undefined);
    if (socket) connections += 1;
    socket?.destroy();
  }
  assert.ok(connections > 0);
  hostile.kill();
});
