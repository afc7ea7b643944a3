/** The agent dies and another takes over: containers keep their pids, logs and exit codes, and nothing is restarted. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { uidOf } from '#kube/object.ts';
import { readLog } from '#runtime/logs/log-reader.ts';
import { podPaths } from '#runtime/pod/record.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';
import { mountsBelow, unmountBelow } from '#sys/mounts.ts';

const real = needs('root', 'runc', 'compiler');

type Container = Pod['spec']['containers'][number];
const app = (more: Partial<Container> = {}): Container => ({
  name: 'app',
  image: 'test/app:1',
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  ...more,
});
const short = { terminationGracePeriodSeconds: 1 };
const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
const statusOf = (pod: Pod) => pod.status?.containerStatuses?.[0];
const urlOf = (pod: Pod, path: string) => `http://${pod.status?.podIP ?? ''}:8080${path}`;
const textOf = async (pod: Pod, path: string) => (await fetch(urlOf(pod, path))).text();

function pidOf(world: AgentWorld, name: string): number {
  const life = world.running().agent.runner('default', name)?.state.containers['app']?.life;
  assert.equal(life?.type, 'running');
  return life?.type === 'running' ? life.pid : 0;
}

async function logOf(world: AgentWorld, name: string): Promise<string> {
  const source = world.running().agent.runner('default', name)?.container('app')?.currentLog;
  const pieces: Buffer[] = [];
  if (source)
    for await (const piece of readLog({ file: source.file }, {}, new AbortController().signal)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('a new agent takes over what runs: same process, same address, no request lost', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('web', { containers: [app()], ...short });
  const pod = await world.until('web', isReady, 'web is ready');
  const pid = pidOf(world, 'web');
  await world.stopAgent();
  assert.match(await textOf(pod, '/'), /\S/, 'it answers while no agent runs');
  await world.startAgent();
  const after = await world.until('web', isReady, 'web is ready again');
  assert.equal(pidOf(world, 'web'), pid);
  assert.equal(after.status?.podIP, pod.status?.podIP);
  assert.equal(statusOf(after)?.restartCount, 0);
  assert.equal((await world.events('web')).filter((line) => line.startsWith('Normal Started')).length, 1);
  await world.client.delete(Pod, { namespace: 'default', name: 'web' });
  await world.gone('web');
});

test('what a container writes while nobody reads is in its log afterwards', real, async () => {
  await using world = await startAgentWorld();
  const lines: Container = { name: 'app', image: 'test/app:1', args: ['lines', '2000'] };
  await world.createPod('talk', { containers: [lines], ...short });
  await eventually(async () => (await logOf(world, 'talk')).includes('line 2000\n'), { what: 'all lines are logged' });
  await world.restartAgent();
  assert.equal((await logOf(world, 'talk')).split('\n').length, 2_001);
});

test('an exit while no agent runs is known afterwards, with its code', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('quit', { containers: [app()], restartPolicy: 'Never', ...short });
  const pod = await world.until('quit', isReady, 'quit is ready');
  const pid = pidOf(world, 'quit');
  await world.stopAgent();
  await textOf(pod, '/exit?code=42').catch(() => undefined);
  await eventually(() => !isAlive(pid), { what: 'the process is gone' });
  await world.startAgent();
  const after = await world.until('quit', (one) => statusOf(one)?.state?.terminated, 'its end is known');
  assert.deepEqual([statusOf(after)?.state?.terminated?.exitCode, after.status?.phase], [42, 'Failed']);
});

test('a pod that was deleted while no agent ran ends when one comes', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('late', { containers: [app()], ...short });
  await world.createPod('forced', { containers: [app()], ...short });
  await world.until('late', isReady, 'late is ready');
  await world.until('forced', isReady, 'forced is ready');
  const pids = ['late', 'forced'].map((name) => pidOf(world, name));
  await world.stopAgent();
  await world.client.delete(Pod, { namespace: 'default', name: 'late' });
  await world.client.delete(Pod, { namespace: 'default', name: 'forced' }, { gracePeriodSeconds: 0 });
  await world.startAgent();
  await world.gone('late');
  await eventually(() => !pids.some(isAlive), { what: 'both processes are gone' });
});

test('after a reboot pods come back: new processes, the next attempt, a network of their own', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('web', { containers: [app()], ...short });
  const pod = await world.until('web', isReady, 'web is ready');
  const pid = pidOf(world, 'web');
  const { keptRecord } = podPaths(world.paths, uidOf(pod));
  await eventually(() => existsSync(keptRecord), { what: 'the disk has its copy of the record' });
  await world.stopAgent();
  // What a reboot leaves: the files on disk, and nothing that runs or is mounted.
  process.kill(pid, 'SIGKILL');
  await eventually(() => !isAlive(pid), { what: 'the process is gone' });
  unmountBelow(world.paths.bundles);
  for (const inMemory of [world.paths.bundles, world.paths.ociRoot]) rmSync(inMemory, { recursive: true });
  unmountBelow(world.paths.pods);
  unmountBelow(world.paths.netns);
  await world.startAgent();
  const after = await world.until(
    'web',
    (one) => isReady(one) && (statusOf(one)?.restartCount ?? 0) > 0,
    'web is back',
  );
  assert.notEqual(pidOf(world, 'web'), pid);
  assert.match(await textOf(after, '/'), /\S/);
  assert.equal(after.metadata.uid, pod.metadata.uid);
});

function isAlive(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('agents that go in the middle of starts: each pod comes up once, none is left half-way', real, async () => {
  await using world = await startAgentWorld();
  const names = Array.from({ length: 8 }, (_, number) => `busy-${number}`);
  await Promise.all(names.map((name) => world.createPod(name, { containers: [app()], ...short })));
  for (const delayMs of [20, 60, 110]) {
    await systemClock.sleep(delayMs, new AbortController().signal);
    await world.stopAgent();
    await world.startAgent();
  }
  for (const name of names) {
    const pod = await world.until(name, isReady, `${name} is ready`);
    assert.equal(statusOf(pod)?.restartCount, 0);
    assert.match(await textOf(pod, '/'), /\S/);
  }
  const { driver } = world.running().env;
  const running = (await driver.list(new AbortController().signal)).filter(({ status }) => status === 'running');
  assert.equal(running.length, names.length, 'one container for each pod');
});

test('a pod that is deleted while its container is being started leaves nothing', real, async () => {
  await using world = await startAgentWorld();
  const { driver } = world.running().env;
  for (let round = 0; round < 6; round += 1) {
    const name = `brief-${round}`;
    await world.createPod(name, { containers: [app()], terminationGracePeriodSeconds: 0 });
    await systemClock.sleep(round * 15, new AbortController().signal);
    await world.client.delete(Pod, { namespace: 'default', name });
    await world.gone(name);
  }
  await eventually(async () => (await driver.list(new AbortController().signal)).length === 0, {
    what: 'no container',
  });
  assert.equal(mountsBelow(world.paths.pods).length, 0);
});
