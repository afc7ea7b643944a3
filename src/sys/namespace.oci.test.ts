import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import {
  connectInNamespace,
  createNetworkNamespace,
  removeNetworkNamespace,
  withNetworkNamespace,
} from '#sys/namespace.ts';
import { findLink, setLink } from '#sys/netlink/link.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-ns-'));
after(() => {
  for (const name of readdirSync(folder)) removeNetworkNamespace(path.join(folder, name));
  rmSync(folder, { recursive: true });
});
const own = () => readlinkSync('/proc/thread-self/ns/net');
const never = new AbortController().signal;

function loopbackUp(): void {
  using netlink = new NetlinkSocket();
  setLink(netlink, findLink(netlink, 'lo')!.index, { isUp: true });
}

test('a namespace is made, entered and left, and its thread comes back each time', () => {
  const file = path.join(folder, 'made');
  const home = own();
  const inside = createNetworkNamespace(file, own);
  assert.notEqual(inside, home);
  assert.equal(own(), home);
  assert.equal(withNetworkNamespace(file, own), inside);
  assert.throws(() => withNetworkNamespace(file, () => assert.fail('inside')), /inside/);
  assert.equal(own(), home);
});

test('a namespace whose preparation fails leaves nothing', () => {
  const file = path.join(folder, 'failed');
  assert.throws(() => createNetworkNamespace(file, () => assert.fail('prepare')), /prepare/);
  assert.ok(!existsSync(file));
  writeFileSync(file, 'somebody else’s');
  assert.throws(() => createNetworkNamespace(file, own), { code: 'EEXIST' });
  assert.ok(existsSync(file));
  assert.throws(() => withNetworkNamespace(file, own), { code: 'EINVAL', syscall: 'setns' });
});

test('a server that listens on loopback inside a namespace is reached from outside it', async (t) => {
  const namespace = path.join(folder, 'loopback');
  const listener = createNetworkNamespace(namespace, () => {
    loopbackUp();
    return listenTcp({ address: '127.0.0.1', port: 8080 });
  });
  const server = net.createServer((socket) => socket.end('from inside')).listen({ fd: listener });
  await once(server, 'listening');
  const to = { namespace, address: '127.0.0.1', port: 8080, timeoutMs: 1_000, clock: systemClock };

  const socket = new net.Socket({ fd: await connectInNamespace(to, never) });
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'from inside');
  socket.destroy();
  await assert.rejects(connectInNamespace({ ...to, port: 8081 }, never), { code: 'ECONNREFUSED', syscall: 'connect' });
  await assert.rejects(connectInNamespace({ ...to, address: '::1' }, never), { code: 'ECONNREFUSED' });
  await assert.rejects(connectInNamespace({ ...to, address: '192.0.2.1' }, never), { code: 'ENETUNREACH' });

  const before = readdirSync('/proc/self/fd').length;
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const start = systemClock.monotonicMs();
    const fd = await connectInNamespace(to, never);
    times.push(systemClock.monotonicMs() - start);
    closeSync(fd);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`connect in a namespace: p50 ${times[100]?.toFixed(3)} ms, p99 ${times[198]?.toFixed(3)} ms`);
  assert.ok(readdirSync('/proc/self/fd').length <= before + 2);
  server.close();
});

test('a connection that gets no answer ends at its limit or with its signal', async () => {
  const namespace = path.join(folder, 'silent');
  const listener = createNetworkNamespace(namespace, () => {
    loopbackUp();
    return listenTcp({ address: '127.0.0.1', port: 8080, backlog: 0 });
  });
  const to = { namespace, address: '127.0.0.1', port: 8080, timeoutMs: 50, clock: systemClock };
  const filling = [await connectInNamespace(to, never)];
  // Nobody accepts: past its backlog the listener drops what arrives.
  const full = async () => {
    for (;;) filling.push(await connectInNamespace(to, never));
  };
  await assert.rejects(full(), { code: 'ETIMEDOUT' });
  const controller = new AbortController();
  const pending = connectInNamespace({ ...to, timeoutMs: 60_000 }, controller.signal);
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(pending, /no longer wanted/);
  for (const fd of [...filling, listener]) closeSync(fd);
});

test('a bound address belongs to the namespace of its socket', () => {
  const namespace = path.join(folder, 'bound');
  const inside = createNetworkNamespace(namespace, () => {
    loopbackUp();
    return listenTcp({ address: '127.0.0.1', port: 8080 });
  });
  const outside = listenTcp({ address: '127.0.0.1', port: 0 });
  assert.equal(boundAddress(inside)?.port, 8080);
  closeSync(inside);
  closeSync(outside);
});
