import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { portOwner } from '#sys/owner.ts';
import { boundAddress, descriptorOf, duplicate, isListening, listenTcp, peerCredentials } from '#sys/socket.ts';

for (const address of ['127.0.0.1', '::1']) {
  test(`a listener on ${address} is bound, holds connections, and is inherited only through stdio`, async () => {
    const fd = listenTcp({ address, port: 0 });
    const bound = boundAddress(fd);
    assert.equal(bound?.address, address);
    assert.ok(bound.port > 0);
    assert.equal(isListening(fd), true);

    // Nobody accepts yet: the connection waits in the backlog.
    const client = net.connect(bound.port, address);
    await once(client, 'connect');

    const leaky = spawn('sh', ['-c', 'ls /proc/self/fd | wc -l'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [count] = (await once(leaky.stdout, 'data')) as [Buffer];
    const accept = "require('net').createServer(c => c.end('served')).listen({fd: 3})";
    const server = spawn(process.execPath, ['-e', accept], { stdio: ['ignore', 'ignore', 'inherit', fd] });
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'served');
    assert.ok(Number(count.toString()) <= 5, `inherited: ${count.toString()}`);
    server.kill('SIGKILL');
    await once(server, 'exit');
    closeSync(fd);
  });
}

test('a port in use is refused with EADDRINUSE, and its owner is found', () => {
  const fd = listenTcp({ address: '127.0.0.1', port: 0 });
  const port = boundAddress(fd)!.port;
  assert.throws(() => listenTcp({ address: '127.0.0.1', port }), {
    code: 'EADDRINUSE',
    syscall: 'bind',
    path: `127.0.0.1:${port}`,
  });
  assert.equal(portOwner(port)?.pid, process.pid);
  closeSync(fd);
  assert.equal(portOwner(port), undefined);
});

test('an address that no interface has is bound only on request', () => {
  assert.throws(() => listenTcp({ address: '192.0.2.77', port: 0 }), { code: 'EADDRNOTAVAIL' });
  closeSync(listenTcp({ address: '192.0.2.77', port: 0, freeBind: true }));
});

test('a duplicate outlives the first descriptor', () => {
  const fd = listenTcp({ address: '127.0.0.1', port: 0 });
  const second = duplicate(fd);
  const port = boundAddress(fd)?.port;
  closeSync(fd);
  assert.equal(boundAddress(second)?.port, port);
  closeSync(second);
});

test('the peer of a Unix socket is known', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-peer-'));
  const server = net.createServer().listen(path.join(folder, 's'));
  await once(server, 'listening');
  const client = net.connect(path.join(folder, 's'));
  const [peer] = (await once(server, 'connection')) as [net.Socket];
  assert.deepEqual(peerCredentials(descriptorOf(peer)!), {
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  peer.destroy();
  assert.equal(descriptorOf(peer), undefined);
  server.close();
  rmSync(folder, { recursive: true });
});
