import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { parseCidr } from '#base/ip.ts';
import { createNetworkNamespace, removeNetworkNamespace, withNetworkNamespace } from '#sys/namespace.ts';
import { addAddress, listAddresses } from '#sys/netlink/address.ts';
import { bringUp, createBridge, createVeth, deleteLink, findLink, listLinks, setLink } from '#sys/netlink/link.ts';
import { deleteNeighbour, setBridgePort, setNeighbour } from '#sys/netlink/neighbour.ts';
import { addRoute, ANYWHERE, listRoutes } from '#sys/netlink/route.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';
import { listenTcp } from '#sys/socket.ts';
import { needs } from '#testing/requirements.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-nl-'));
const namespace = path.join(folder, 'pod');
const netlink = new NetlinkSocket();
const BRIDGE = `pnt${process.pid}`;
const POD = { address: '198.18.250.2', mac: '0a:58:c6:12:fa:02' };
const GATEWAY = { address: '198.18.250.1', mac: '0a:58:c6:12:fa:01' };
const SERVICES = parseCidr('198.18.251.0/24')!;

after(() => {
  for (const { name, index } of listLinks(netlink)) if (name.startsWith(BRIDGE)) deleteLink(netlink, index);
  netlink[Symbol.dispose]();
  removeNetworkNamespace(namespace);
  rmSync(folder, { recursive: true });
});

test('a bridge is made, with an address, and its name is taken', () => {
  createBridge(netlink, { name: BRIDGE, mac: GATEWAY.mac, mtu: 1_400 });
  bringUp(netlink, findLink(netlink, BRIDGE)!.index);
  const bridge = findLink(netlink, BRIDGE)!;
  assert.deepEqual(
    { ...bridge, index: 0 },
    { index: 0, name: BRIDGE, isUp: true, mac: GATEWAY.mac, mtu: 1_400, master: undefined, kind: 'bridge' },
  );
  assert.throws(() => createBridge(netlink, { name: BRIDGE, mac: GATEWAY.mac, mtu: 1_400 }), { code: 'EEXIST' });
  for (let twice = 0; twice < 2; twice += 1) {
    addAddress(netlink, { link: bridge.index, address: GATEWAY.address, prefix: 24 });
  }
  assert.deepEqual(
    listAddresses(netlink).filter(({ link }) => link === bridge.index),
    [{ link: bridge.index, address: GATEWAY.address, prefix: 24 }],
  );
  assert.ok(listRoutes(netlink).some((route) => route.link === bridge.index && route.destination.prefix === 24));
});

test('a pair of interfaces joins the bridge and a namespace, and TCP flows between', async (t) => {
  const bridge = findLink(netlink, BRIDGE)!;
  const listener = createNetworkNamespace(namespace, () => {
    createVeth(netlink, {
      name: `${BRIDGE}a`,
      mtu: 1_400,
      master: bridge.index,
      peer: { name: 'eth0', mac: POD.mac, mtu: 1_400, namespace },
    });
    using inside = new NetlinkSocket();
    const link = findLink(inside, 'eth0')!.index;
    bringUp(inside, link);
    addAddress(inside, { link, address: POD.address, prefix: 24 });
    addRoute(inside, { destination: ANYWHERE, kind: 'unicast', link, gateway: GATEWAY.address });
    setNeighbour(inside, { link, ...GATEWAY });
    return listenTcp({ address: '0.0.0.0', port: 8080 });
  });
  const port = findLink(netlink, `${BRIDGE}a`)!.index;
  bringUp(netlink, port);
  setNeighbour(netlink, { link: bridge.index, ...POD });
  setBridgePort(netlink, { port, mac: POD.mac });

  const server = net.createServer((socket) => socket.end('pong')).listen({ fd: listener });
  await once(server, 'listening');
  const start = systemClock.monotonicMs();
  const client = net.connect(8080, POD.address);
  await once(client, 'connect');
  t.diagnostic(`first connection to a new pod: ${(systemClock.monotonicMs() - start).toFixed(3)} ms`);
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'pong');
  client.destroy();
  server.close();
});

test('from inside, everything goes through the gateway', () => {
  withNetworkNamespace(namespace, () => {
    using inside = new NetlinkSocket();
    const route = listRoutes(inside).find(({ destination, table }) => destination.prefix === 0 && table === 254);
    assert.equal(route?.gateway, GATEWAY.address);
    assert.equal(findLink(inside, BRIDGE), undefined);
  });
});

test('every address of a local route is this machine’s own, until its interface goes', async () => {
  const bridge = findLink(netlink, BRIDGE)!;
  const route = { destination: SERVICES, kind: 'local', link: bridge.index } as const;
  addRoute(netlink, route);
  addRoute(netlink, route);
  const server = net.createServer((socket) => socket.end('service')).listen(80, '198.18.251.77');
  await once(server, 'listening');
  const client = net.connect(80, '198.18.251.77');
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'service');
  client.destroy();
  server.close();
  assert.ok(
    listRoutes(netlink).some(({ kind, destination }) => kind === 'local' && destination.base === SERVICES.base),
  );
});

test('links are renamed, changed and moved', () => {
  createVeth(netlink, { name: `${BRIDGE}b`, mtu: 1_500, peer: { name: `${BRIDGE}c`, mtu: 1_500 } });
  const { index } = findLink(netlink, `${BRIDGE}c`)!;
  setLink(netlink, index, { isUp: false });
  setLink(netlink, index, { name: 'eth1', mtu: 1_300, mac: '0a:58:00:00:00:09', namespace });
  assert.equal(findLink(netlink, `${BRIDGE}c`), undefined);
  withNetworkNamespace(namespace, () => {
    using inside = new NetlinkSocket();
    const { mtu, mac, isUp } = findLink(inside, 'eth1')!;
    assert.deepEqual({ mtu, mac, isUp }, { mtu: 1_300, mac: '0a:58:00:00:00:09', isUp: false });
  });
  assert.equal(deleteLink(netlink, findLink(netlink, `${BRIDGE}b`)!.index), true);
});

test('what the kernel refuses comes with its own words', () => {
  const { index } = findLink(netlink, 'lo')!;
  assert.throws(() => createVeth(netlink, { name: 'a'.repeat(16), mtu: 1_500, peer: { name: 'x', mtu: 1_500 } }), {
    syscall: 'netlink',
    message: /add veth a{16}/,
  });
  assert.throws(() => setLink(netlink, index, { master: 999_999 }), { code: 'EINVAL' });
  assert.equal(deleteLink(netlink, 999_999), false);
});

test('a neighbour entry is forgotten, a bridge goes with its address and routes', needs('ip'), () => {
  const bridge = findLink(netlink, BRIDGE)!;
  const seen = () => execFileSync('ip', ['neigh', 'show', 'dev', BRIDGE], { encoding: 'utf8' });
  assert.match(seen(), new RegExp(`${POD.address} lladdr ${POD.mac} PERMANENT`));
  assert.equal(deleteNeighbour(netlink, { link: bridge.index, address: POD.address }), true);
  assert.equal(deleteNeighbour(netlink, { link: bridge.index, address: POD.address }), false);
  assert.equal(deleteLink(netlink, bridge.index), true);
  assert.ok(!listRoutes(netlink).some(({ destination }) => destination.base === SERVICES.base));
});
