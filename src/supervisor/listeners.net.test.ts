import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { type Listener, openListener } from '#supervisor/listeners.ts';
import { boundAddress, duplicate, listenTcp } from '#sys/socket.ts';

const taken = listenTcp({ address: '127.0.0.1', port: 0 });
const port = boundAddress(taken)!.port;

test('a port that is taken is an error that names it, its owner and the way out', () => {
  assert.throws(() => openListener('http', { address: '127.0.0.1', ports: [port] }), {
    name: 'StartError',
    message: `port ${port} on 127.0.0.1, wanted for http, is taken by node (process ${process.pid})`,
    cure: 'choose another port with --http-port, 0 for any that is free',
  });
});

test('the next port of the list is taken instead', () => {
  const listener = openListener('http', { address: '127.0.0.1', ports: [port, 0] });
  assert.ok(listener.port > 0 && listener.port !== port);
  assert.equal(boundAddress(listener.fd)?.port, listener.port);
  closeSync(listener.fd);
});

test('when no port of the list is free, the one that was wanted is named', () => {
  assert.throws(() => openListener('api', { address: '127.0.0.1', ports: [port, port] }), /^StartError: port \d+ on/);
});

test('an address of no interface is named, and the other ports are not tried', () => {
  assert.throws(() => openListener('api', { address: '192.0.2.77', ports: [0, 0] }), {
    message: 'no interface of this machine has the address 192.0.2.77',
    cure: 'choose an address of this machine with --listen',
  });
});

test('a port that a listener of ours has on every address is shared, with nobody else', async () => {
  const wide = openListener('https', { address: '0.0.0.0', ports: [0] });
  const request = { address: '127.0.0.77', ports: [wide.port], isBesideOurs: true };
  assert.throws(() => openListener('cluster', request), /is taken/);
  const narrow = openListener('cluster', request, [wide]);
  const other = { ...request, address: '127.0.0.78' };
  assert.throws(() => openListener('cluster', other), /is taken/);
  assert.equal(await acceptedBy('127.0.0.77', { wide, narrow }), 'narrow');
  assert.equal(await acceptedBy('127.0.0.1', { wide, narrow }), 'wide');
  for (const { fd } of [wide, narrow]) closeSync(fd);
});

/** Which of the listeners gets a connection to that address. */
async function acceptedBy(address: string, listeners: Readonly<Record<string, Listener>>): Promise<string> {
  const accepted = Promise.withResolvers<string>();
  const servers = Object.entries(listeners).map(([name, { fd }]) =>
    createServer((socket) => {
      accepted.resolve(name);
      socket.destroy();
    }).listen({ fd: duplicate(fd) }),
  );
  const client = connect({ host: address, port: listeners['wide']?.port ?? 0 });
  const name = await accepted.promise;
  client.destroy();
  for (const server of servers) server.close();
  return name;
}

test('an address that the bridge will have is bound before the bridge is there', () => {
  closeSync(openListener('local', { address: '192.0.2.77', ports: [0], freeBind: true }).fd);
});
