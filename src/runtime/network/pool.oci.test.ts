import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { cidrOf, ensureBridge, gatewayOf } from '#runtime/network/bridge.ts';
import { removeNetwork } from '#runtime/network/cleanup.ts';
import { offsetOf, type PodNetwork, podNetworkAt } from '#runtime/network/pod-network.ts';
import { NetworkThread } from '#runtime/network/network-thread.ts';
import { NetworkPool } from '#runtime/network/pool.ts';
import { takenRanges, withNetworkLock } from '#runtime/network/taken-ranges.ts';
import { createNetworkNamespace, removeNetworkNamespace, withNetworkNamespace } from '#sys/namespace.ts';
import { deleteLink, findLink, listLinks } from '#sys/netlink/link.ts';
import { listRoutes } from '#sys/netlink/route.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';
import { mountsBelow } from '#sys/mounts.ts';
import { listenTcp } from '#sys/socket.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { needs } from '#testing/requirements.ts';

const never = new AbortController().signal;
const root = mkdtempSync(path.join(tmpdir(), 'pinnace-pool-'));
const netlink = new NetlinkSocket();

interface Platform {
  readonly bridge: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly netnsDir: string;
}
const platforms: Platform[] = [];

async function platform(name: string): Promise<Platform> {
  const stateDir = path.join(root, name);
  return withNetworkLock(
    () => {
      const { bridge, podCidr, serviceCidr } = planNetwork({ stateDir, taken: takenRanges(netlink, 'none') });
      const settings = { bridge, podCidr, serviceCidr, netnsDir: path.join(stateDir, 'netns') };
      ensureBridge(netlink, settings);
      platforms.push(settings);
      return settings;
    },
    { clock: systemClock, signal: never },
  );
}

const pools: NetworkPool[] = [];
function poolOf(settings: Platform, ready: number): NetworkPool {
  const pool = new NetworkPool({ ...settings, ready, clock: systemClock, log: silentLogger });
  pools.push(pool);
  return pool;
}

after(async () => {
  for (const pool of pools) await pool[Symbol.asyncDispose]();
  for (const settings of platforms) await removeNetwork({ ...settings, clock: systemClock }, never);
  netlink[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

const linksOf = ({ bridge }: Platform) => listLinks(netlink).filter(({ name }) => name.startsWith(`${bridge}-`));

/** A server inside the pod’s network that answers with `text`. */
async function serve(pod: PodNetwork, text: string): Promise<net.Server> {
  const fd = withNetworkNamespace(pod.namespace, () => listenTcp({ address: '0.0.0.0', port: 80 }));
  const server = net.createServer((socket) => socket.end(text)).listen({ fd });
  await once(server, 'listening');
  return server;
}

async function ask(address: string): Promise<string> {
  const socket = net.connect(80, address);
  try {
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}

/** The same from inside a pod’s network. */
async function askFrom(pod: PodNetwork, address: string): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/80; cat <&3`;
  const child = spawn('nsenter', [`--net=${pod.namespace}`, 'bash', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [answer] = (await once(child.stdout, 'data')) as [Buffer];
  return answer.toString();
}

test('the thread ends when idle, comes back for the next job, and leaves no descriptor', async () => {
  const settings = await platform('idle');
  mkdirSync(settings.netnsDir, { recursive: true });
  const clock = new FakeClock();
  const threads = () => readdirSync('/proc/self/task').length;
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = { threads: threads(), descriptors: descriptors() };
  const thread = new NetworkThread(settings, clock);
  for (const offset of [2, 3]) {
    const pod = podNetworkAt(settings, offset);
    assert.equal(await thread.run('make', pod), true);
    assert.equal(threads(), before.threads + 1);
    assert.equal(await thread.run('remove', pod), false);
    await clock.advance(60_000);
    await eventually(() => threads() === before.threads && descriptors() === before.descriptors);
  }
});

test('a pool fills up, and a network from it is ready in microseconds and works at once', async (t) => {
  const settings = await platform('fills');
  const pool = poolOf(settings, 6);
  const start = systemClock.monotonicMs();
  assert.deepEqual(await pool.adopt(new Set()), []);
  await eventually(() => pool.ready === 6);
  t.diagnostic(`thread started and 6 networks made: ${(systemClock.monotonicMs() - start).toFixed(1)} ms`);
  const times: number[] = [];
  const pods: PodNetwork[] = [];
  for (let index = 0; index < 6; index += 1) {
    const before = systemClock.monotonicMs();
    pods.push(await pool.lease(never));
    times.push(systemClock.monotonicMs() - before);
  }
  t.diagnostic(`leases: ${times.map((ms) => ms.toFixed(3)).join(', ')} ms`);
  assert.ok(Math.min(...times) < 1);
  assert.equal(new Set(pods.map(({ address }) => address)).size, 6);
  await eventually(() => pool.ready === 6, { what: 'filling up again' });

  const servers = await Promise.all(pods.map((pod) => serve(pod, pod.address)));
  for (const { address } of pods) assert.equal(await ask(address), address);
  const [first, second] = pods as [PodNetwork, PodNetwork];
  assert.equal(await askFrom(first, second.address), second.address);
  for (const server of servers) server.close();
  for (const { address } of pods) await pool.release(address);
  await pool.release('10.0.0.1');
  await eventually(() => linksOf(settings).length === 6);
  assert.equal(readdirSync(settings.netnsDir).length, 6);
});

test('inside, loopback is up, ports are free for all, and the gateway is known', needs('ip'), async () => {
  const settings = await platform('inside');
  const pool = poolOf(settings, 1);
  const pod = await pool.lease(never);
  withNetworkNamespace(pod.namespace, () => {
    using inside = new NetlinkSocket();
    const links = new Map(listLinks(inside).map((link) => [link.name, link]));
    assert.equal(links.get('lo')?.isUp, true);
    assert.equal(links.get('eth0')?.mac, pod.mac);
    const gateway = gatewayOf(settings.podCidr).address;
    assert.ok(listRoutes(inside).some((route) => route.destination.prefix === 0 && route.gateway === gateway));
    assert.equal(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim(), '0');
  });
  assert.notEqual(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim(), '0');
  const show = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });
  assert.match(show('neigh', 'show', 'dev', settings.bridge), new RegExp(`${pod.address} lladdr ${pod.mac} PERMANENT`));
  assert.doesNotMatch(show('addr', 'show', 'dev', pod.hostLink), /fe80/);
});

test(
  'any address of the Service range can be listened on and reached, from pods too',
  needs('nsenter', 'bash'),
  async () => {
    const settings = await platform('services');
    const pod = await poolOf(settings, 0).lease(never);
    const address = settings.serviceCidr.replace(/0\/20$/, '77');
    const server = net.createServer((socket) => socket.end('cluster')).listen(80, address);
    await once(server, 'listening');
    assert.equal(await ask(address), 'cluster');
    assert.equal(await askFrom(pod, address), 'cluster');
    server.close();
  },
);

test('a burst past what is ready waits for the thread, and who gives up leaves nothing', async (t) => {
  const settings = await platform('burst');
  const pool = poolOf(settings, 2);
  await eventually(async () => (await pool.adopt(new Set()), pool.ready === 2));
  const start = systemClock.monotonicMs();
  const pods = await Promise.all(Array.from({ length: 40 }, () => pool.lease(never)));
  t.diagnostic(`40 leases at once, 2 ready: ${(systemClock.monotonicMs() - start).toFixed(1)} ms`);
  assert.equal(new Set(pods.map(({ address }) => address)).size, 40);
  await eventually(() => pool.ready === 2);
  const controller = new AbortController();
  const waiting = Array.from({ length: 10 }, () => pool.lease(controller.signal));
  controller.abort(new Error('no longer wanted'));
  const outcomes = await Promise.allSettled(waiting);
  const got = outcomes.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  assert.equal(got.length, 2);
  await Promise.all([...pods, ...got].map(({ address }) => pool.release(address)));
  await eventually(
    () => linksOf(settings).length === pool.ready && readdirSync(settings.netnsDir).length === pool.ready,
  );
});

test('after a kill, leased networks are adopted with their servers, all others are removed', async () => {
  const settings = await platform('killed');
  const file = path.join(import.meta.dirname, 'fixtures', 'pool-process.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, JSON.stringify(settings), '4']);
  child.stderr.pipe(process.stderr);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const leases = JSON.parse(line.toString()) as PodNetwork[];
  const [kept] = leases as [PodNetwork];
  const server = await serve(kept, 'survivor');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(readdirSync(settings.netnsDir).length >= 4);

  // What a reboot leaves: a file where a namespace was mounted.
  const [, gone] = leases as [PodNetwork, PodNetwork];
  removeNetworkNamespace(gone.namespace);
  // Somebody removed the bridge: the pod's port must join the new one.
  deleteLink(netlink, findLink(netlink, settings.bridge)!.index);

  const pool = poolOf(settings, 2);
  await eventually(() => !findLink(netlink, gone.hostLink));
  assert.deepEqual(await pool.adopt(new Set([kept.address, gone.address])), [gone.address]);
  assert.equal(pool.find(kept.address)?.namespace, kept.namespace);
  assert.equal(await ask(kept.address), 'survivor');
  await eventually(() => pool.ready === 2 && linksOf(settings).length === 3);
  assert.deepEqual(
    readdirSync(settings.netnsDir).filter((name) => name === kept.address),
    [kept.address],
  );
  server.close();
});

test('an address that something still holds is passed over', async () => {
  const settings = await platform('held');
  const pool = poolOf(settings, 0);
  mkdirSync(settings.netnsDir, { recursive: true });
  const held = podNetworkAt(settings, 2);
  createNetworkNamespace(held.namespace, () => undefined);
  const pod = await pool.lease(never);
  assert.equal(offsetOf(settings.podCidr, pod.address), 3);
});

test('a network that cannot be made says why, to whoever waits', async () => {
  const settings = await platform('broken');
  const pool = poolOf({ ...settings, bridge: 'far-too-long-for-a-bridge' }, 0);
  await assert.rejects(pool.lease(never), { name: 'SystemError', syscall: 'netlink', message: /far-too-long/ });
  assert.deepEqual(readdirSync(settings.netnsDir), []);
});

test('two platforms that plan at the same time get different ranges', async () => {
  const [left, right] = await Promise.all([platform('left'), platform('right')]);
  assert.notEqual(left.podCidr, right.podCidr);
  const pods = await Promise.all([poolOf(left, 0).lease(never), poolOf(right, 0).lease(never)]);
  const servers = await Promise.all(pods.map((pod, index) => serve(pod, `platform ${index}`)));
  assert.equal(await ask(pods[0].address), 'platform 0');
  assert.equal(await ask(pods[1].address), 'platform 1');
  for (const server of servers) server.close();
  const before = linksOf(right).length;
  const removed = await removeNetwork({ ...left, clock: systemClock }, never);
  assert.deepEqual(removed, { namespaces: 1, links: 2 });
  assert.equal(linksOf(right).length, before);
});

test('cleaning up leaves nothing and can be repeated', async (t) => {
  const settings = await platform('cleaned');
  const pool = poolOf(settings, 8);
  await pool.adopt(new Set());
  await eventually(() => pool.ready === 8);
  await pool[Symbol.asyncDispose]();
  const start = systemClock.monotonicMs();
  assert.deepEqual(await removeNetwork({ ...settings, clock: systemClock }, never), { namespaces: 8, links: 9 });
  t.diagnostic(`8 namespaces and the bridge removed: ${(systemClock.monotonicMs() - start).toFixed(0)} ms`);
  assert.ok(!existsSync(settings.netnsDir));
  assert.equal(mountsBelow(settings.netnsDir).length, 0);
  assert.ok(!listLinks(netlink).some(({ name }) => name.startsWith(settings.bridge)));
  const { base } = cidrOf(settings.serviceCidr);
  assert.ok(!listRoutes(netlink).some(({ destination }) => destination.base === base));
  assert.deepEqual(await removeNetwork({ ...settings, clock: systemClock }, never), { namespaces: 0, links: 0 });
});
