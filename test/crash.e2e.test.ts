/** Any of our processes may be killed at any time: users see nothing of it, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Service } from '#knative/kinds/service.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { readRecords } from '#runtime/pod/record.ts';
import type { Running } from '#runtime/pod/state.ts';
import { isRunning } from '#sys/proc.ts';
import { eventually } from '#testing/eventually.ts';
import { startLoad } from '#testing/load.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, podsOf } from '#testing/service.ts';

const real = needs('root', 'runc', 'compiler');
const always = { annotations: { 'autoscaling.knative.dev/min-scale': '1' } };

function runningContainers({ paths }: TestPlatform): Running[] {
  const containers = readRecords(paths).states.flatMap((state) => Object.values(state.containers));
  return containers.flatMap(({ life }) => (life.type === 'running' ? [life] : []));
}

/** Pids of the containers that run, by their ids. */
function containerPids(platform: TestPlatform): Record<string, number> {
  return Object.fromEntries(runningContainers(platform).map(({ id, pid }) => [id, pid]));
}

async function kill(platform: TestPlatform, name: string): Promise<number> {
  const pid = await platform.pidOf(name);
  process.kill(pid, 'SIGKILL');
  return pid;
}

async function isReady(platform: TestPlatform): Promise<boolean> {
  return (await platform.status()).ready;
}

/** Answers how long it took until the API says that it is ready, by another process than before. */
async function untilBack(platform: TestPlatform, name: string, before: number): Promise<number> {
  const startedAt = systemClock.monotonicMs();
  await eventually(async () => (await isReady(platform)) && (await platform.pidOf(name)) !== before, {
    timeoutMs: 20_000,
    what: `${name} is back`,
  });
  return systemClock.monotonicMs() - startedAt;
}

test('control is killed under load: no request fails, nothing is lost, containers stay', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  const before = containerPids(platform);
  assert.equal(Object.keys(before).length, 1);
  const { gateway } = await platform.status();
  const load = startLoad({ url, gateway: gateway.http, concurrency: 8 });
  for (let round = 0; round < 3; round += 1) {
    const written = await writeUntilKilled(platform, round);
    await untilBack(platform, 'control', written.killed);
    const { items } = await platform.client.list(ConfigMap, { namespace: 'default' });
    const names = new Set(items.map(({ metadata }) => metadata.name));
    for (const name of written.acknowledged) assert.ok(names.has(name), `${name} was acknowledged and is lost`);
    assert.ok(written.acknowledged.length > 0, 'something was written before the kill');
  }
  const result = await load.stop();
  assert.deepEqual(result.outcomes, { 200: result.requests });
  assert.deepEqual(containerPids(platform), before, 'the same container runs');
  const [pod, ...others] = await podsOf(platform, 'steady');
  assert.deepEqual(others, []);
  assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 0);
});

/** Creates ConfigMaps one after the other and kills control meanwhile; answers those that were acknowledged. */
async function writeUntilKilled(platform: TestPlatform, round: number) {
  const acknowledged: string[] = [];
  let killed = 0;
  const writing = (async () => {
    for (let number = 0; ; number += 1) {
      const name = `written-${round}-${number}`;
      await platform.client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace: 'default', name } }));
      acknowledged.push(name);
    }
  })().catch(() => undefined);
  await eventually(() => acknowledged.length > 20, { what: 'some objects are written' });
  killed = await kill(platform, 'control');
  await writing;
  return { acknowledged, killed };
}

test('what happens to containers while control is away is known when it is back', real, async () => {
  await using platform = await TestPlatform.start();
  const container = { name: 'app', image: 'test/app:1', imagePullPolicy: 'IfNotPresent' };
  const pod = (name: string, args: string[]) =>
    typed(Pod, {
      metadata: { namespace: 'default', name },
      spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [{ ...container, args }] },
    } as Pod);
  const server = { ...container, env: [{ name: 'PORT', value: '8080' }] };
  await platform.client.create(Pod, pod('talker', ['lines', '3']));
  await platform.client.create(
    Pod,
    typed(Pod, {
      metadata: { namespace: 'default', name: 'server' },
      spec: { restartPolicy: 'Never', containers: [server] },
    } as Pod),
  );
  const podOf = (name: string) => platform.client.get(Pod, { namespace: 'default', name });
  const running = await eventually(async () => {
    const [first, second] = [await podOf('talker'), await podOf('server')];
    return first.status?.phase === 'Running' && second.status?.phase === 'Running' && second.status.podIP;
  });
  const before = containerPids(platform);
  const killed = await kill(platform, 'control');
  // It ends while nobody looks.
  await fetch(`http://${running}:8080/exit?code=42`).catch(() => undefined);
  await untilBack(platform, 'control', killed);
  const ended = await eventually(async () => {
    const { status } = await podOf('server');
    return status?.containerStatuses?.[0]?.state?.terminated;
  });
  assert.equal(ended.exitCode, 42);
  const [stayed, ...others] = Object.entries(containerPids(platform));
  assert.deepEqual(others, []);
  assert.ok(stayed && before[stayed[0]] === stayed[1], 'the other container runs on');
  const logs = await platform.client.get(Pod, { namespace: 'default', name: 'talker' });
  assert.equal(logs.status?.containerStatuses?.[0]?.restartCount, 0);
});

test('the gateway is killed under load: none is refused, only what it had accepted may be cut', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  const { gateway } = await platform.status();
  const concurrency = 16;
  const load = startLoad({ url, gateway: gateway.http, concurrency });
  const kills = 3;
  for (let round = 0; round < kills; round += 1) {
    const seen = load.answered;
    await eventually(() => load.answered > seen + 200, { what: 'the load runs' });
    await untilBack(platform, 'gateway', await kill(platform, 'gateway'));
  }
  const { outcomes, requests } = await load.stop();
  const { 200: good = 0, ECONNRESET: reset = 0, 'socket hang up': hungUp = 0, ...others } = outcomes;
  assert.deepEqual(others, {}, 'nothing but answers and cut connections');
  assert.ok(reset + hungUp <= kills * concurrency, `${reset + hungUp} requests were cut`);
  assert.equal(good + reset + hungUp, requests);
});

test('a gateway that starts while control is away serves what it knows', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  await platform.get(url);
  const { gateway } = await platform.status();
  const pids = [await platform.pidOf('control'), await platform.pidOf('gateway')];
  const load = startLoad({ url, gateway: gateway.http, concurrency: 4 });
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const seen = load.answered;
  await eventually(() => load.answered > seen + 100, { what: 'the new gateway answers' });
  const { outcomes } = await load.stop();
  const { 200: good = 0, ECONNRESET: _reset, 'socket hang up': _hungUp, ...others } = outcomes;
  assert.deepEqual(others, {});
  assert.ok(good > 100);
});

test('the supervisor is killed under load: nobody notices, and the next one restarts what dies', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  const before = containerPids(platform);
  const { gateway } = await platform.status();
  const load = startLoad({ url, gateway: gateway.http, concurrency: 8 });
  const [control, gatewayPid] = [await platform.pidOf('control'), await platform.pidOf('gateway')];
  await untilBack(platform, 'supervisor', await kill(platform, 'supervisor'));
  assert.equal(await platform.pidOf('control'), control);
  assert.equal(await platform.pidOf('gateway'), gatewayPid);
  await untilBack(platform, 'control', await kill(platform, 'control'));
  const result = await load.stop();
  assert.deepEqual(result.outcomes, { 200: result.requests });
  assert.deepEqual(containerPids(platform), before);
});

test('everything of ours is killed at once: up takes over what runs', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  const before = containerPids(platform);
  await platform.killEverything();
  assert.deepEqual(containerPids(platform), before);
  await platform.up();
  assert.equal((await platform.get(url)).status, 200);
  assert.deepEqual(containerPids(platform), before);
  assert.equal((await platform.client.get(Service, { namespace: 'default', name: 'steady' })).metadata.generation, 1);
});

test('everything is killed and then purged: nothing is left', real, async () => {
  await using platform = await TestPlatform.start();
  await deploy(platform, 'steady', always);
  const containers = runningContainers(platform);
  await platform.killEverything();
  await platform.down('--purge');
  assert.deepEqual(containers.filter(isRunning), []);
  // Disposing of the platform looks for leftovers.
});

test('down stops platform and containers, up brings Services back', real, async () => {
  await using platform = await TestPlatform.start();
  const url = await deploy(platform, 'steady', always);
  const before = runningContainers(platform);
  assert.equal(before.length, 1);
  await platform.down();
  assert.deepEqual(before.filter(isRunning), []);
  await platform.up();
  const status = await eventually(async () => {
    const answer = await platform.get(url);
    return answer.status === 200 && answer.status;
  });
  assert.equal(status, 200);
});
