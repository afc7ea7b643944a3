/**
 * The socket that says that the supervisor lives: whoever is connected to it learns of its death at once, from the
 * kernel. Nothing is ever sent over it.
 */
import { rmSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';

/** Our processes, and whoever looks by hand. */
const MAX_CONNECTIONS = 64;

/** Listens at `file`, where an earlier supervisor may have left its socket; the caller holds the supervisor's lock. */
export async function openBeacon(file: string): Promise<AsyncDisposable> {
  rmSync(file, { force: true });
  const connections = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    socket.resume();
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(file);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A connection to the beacon; undefined when nobody answers. */
export async function connectBeacon(file: string): Promise<net.Socket | undefined> {
  const socket = net.connect(file);
  const connected = Promise.withResolvers<net.Socket | undefined>();
  socket.on('connect', () => connected.resolve(socket));
  // A reset is a way of closing; whoever watches the connection waits for 'close'.
  socket.on('error', () => connected.resolve(undefined));
  socket.resume();
  return connected.promise;
}
