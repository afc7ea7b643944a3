/** The endpoint of a real agent, with real containers behind it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { uidOf } from '#kube/object.ts';
import { ChannelClient, request, upgradeToSpdy } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { SpdyClient } from '#runtime/kubelet/fixtures/spdy-client.ts';
import { podPaths } from '#runtime/pod/record.ts';
import { processStat } from '#sys/proc.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { eventually } from '#testing/eventually.ts';
import { compiler, needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler');
const realWithPs = needs('root', 'runc', 'compiler', 'ps');
const SOURCE = path.join(import.meta.dirname, 'fixtures', 'tool.c');
const SUCCESS = { metadata: {}, status: 'Success' };

let world: AgentWorld;
let socketPath: string;

before(async () => {
  if (real.skip !== undefined) return;
  world = await startAgentWorld();
  socketPath = world.paths.kubeletSocket;
  const pod = await runPod('talk', { args: ['lines', '5'] });
  // Into the container's root filesystem, as any file of its image.
  const tool = path.join(podPaths(world.paths, uidOf(pod)).container('app').rootfs, 'tool');
  execFileSync(compiler() ?? '', ['-static', '-o', tool, SOURCE]);
  chmodSync(tool, 0o755);
});

after(() => world?.[Symbol.asyncDispose]());

type Container = Pod['spec']['containers'][number];

function runPod(name: string, container: Partial<Container>): Promise<Pod> {
  const containers = [{ name: 'app', image: 'test/app:1', ...container }];
  return world
    .createPod(name, { containers, terminationGracePeriodSeconds: 1, restartPolicy: 'Never' })
    .then(() => world.until(name, ({ status }) => status?.phase === 'Running' && status.podIP, `${name} runs`));
}

function exec(command: readonly string[], streams = 'output=1&error=1'): Promise<ChannelClient> {
  const words = command.map((word) => `command=${encodeURIComponent(word)}`);
  return new ChannelClient(socketPath, `/exec/default/talk/app?${[...words, streams].join('&')}`).opened();
}

test('what the container printed is its log', real, async () => {
  const log = () => request(socketPath, '/containerLogs/default/talk/app?tailLines=2');
  await eventually(async () => (await log()).text === 'line 4\nline 5\n');
  const previous = await request(socketPath, '/containerLogs/default/talk/app?previous=true');
  assert.equal(previous.text, 'previous terminated container "app" in pod "talk" not found');
});

test('a command runs in the container and ends with its code', real, async () => {
  const said = await exec(['/app', 'say', 'hello', 'there']);
  assert.deepEqual(await said.outcome(), SUCCESS);
  assert.equal(said.text(1), 'hello there\n');
  const failed = await exec(['/app', 'fail', '7']);
  const { details } = (await failed.outcome()) as { details: { causes: { message: string }[] } };
  assert.equal(details.causes[0]?.message, '7');
  assert.equal(failed.text(2), 'failing\n');
});

test('a command takes its input to the end, however much', real, async () => {
  const client = await exec(['/app', 'cat'], 'input=1&output=1');
  const total = 5_000_000;
  for (let sent = 0; sent < total; sent += 50_000) client.send(0, Buffer.alloc(50_000, 'x'));
  client.end(0);
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1).length, total);
});

test('a command that is not in the image is an error in the runtime’s words', real, async () => {
  for (const streams of ['output=1&error=1', 'output=1&tty=1']) {
    const client = await exec(['/none'], streams);
    const { message } = (await client.outcome()) as { message: string };
    assert.match(
      message,
      /: OCI runtime exec failed: exec failed: unable to start container process: exec: "\/none": stat \/none: no such file or directory: unknown$/,
    );
    assert.equal(client.text(1) + client.text(2), '');
  }
});

test('a command gets its three streams and no other descriptor', real, async () => {
  const client = await exec(['/tool', 'fds']);
  await client.outcome();
  assert.deepEqual(client.text(1).trim().split('\n').sort(), ['0', '1', '2']);
});

test('a terminal has the size that the client says, also later', real, async () => {
  const client = await exec(['/tool', 'size'], 'input=1&output=1&tty=1');
  client.send(4, '{"Width":111,"Height":33}\n');
  await eventually(() => client.text(1).includes('size 33 111\r\n'));
  client.send(4, '{"Width":99,"Height":44}\n');
  await eventually(() => client.text(1).includes('size 44 99\r\n'));
  // Control-C is the terminal's, not ours: it reaches the command as a signal.
  client.send(0, '\u0003');
  const { details } = (await client.outcome()) as { details: { causes: { message: string }[] } };
  assert.equal(details.causes[0]?.message, '130');
});

test('a program is told what its terminal is, if it has one', real, async () => {
  for (const [streams, told] of [
    ['output=1&tty=1', 'xterm\r\n'],
    ['output=1', 'none\n'],
  ] as const) {
    const client = await exec(['/tool', 'term'], streams);
    assert.deepEqual(await client.outcome(), SUCCESS);
    assert.equal(client.text(1), told);
  }
});

test('what is typed at a terminal echoes', real, async () => {
  const client = await exec(['/app', 'cat'], 'input=1&output=1&tty=1');
  client.send(0, 'typed\r');
  await eventually(() => client.text(1) === 'typed\r\ntyped\r\n');
  client.send(0, '\u0004');
  assert.deepEqual(await client.outcome(), SUCCESS);
});

for (const streams of ['output=1', 'input=1&output=1&tty=1']) {
  test(`when the client goes away the command does, even one that ignores it: ${streams}`, realWithPs, async () => {
    const client = await exec(['/tool', 'stubborn'], streams);
    await eventually(() => client.text(1).includes('begun'));
    const pids = pidsOf('tool');
    assert.equal(pids.length, 1);
    client.socket.terminate();
    await eventually(() => pids.every((pid) => processStat(pid)?.command !== 'tool'));
  });
}

function pidsOf(command: string): number[] {
  const text = execFileSync('ps', ['-eo', 'pid=,comm='], { encoding: 'utf8' });
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return lines.filter(([, name]) => name === command).map(([pid]) => Number(pid));
}

for (const mode of ['ok', 'loopback']) {
  test(`port-forward reaches a program that listens, MODE=${mode}`, real, async () => {
    const name = `web-${mode}`;
    await runPod(name, { env: [{ name: 'MODE', value: mode }] });
    const path = `/portForward/default/${name}`;
    const client = new SpdyClient(await upgradeToSpdy(socketPath, path, 'portforward.k8s.io'));
    const ask = async (first: number) => {
      const headers = { port: '8080', requestid: String(first) };
      await client.open(first, { streamtype: 'error', ...headers });
      await client.open(first + 2, { streamtype: 'data', ...headers });
      client.data(first + 2, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await eventually(() => client.frames.some(({ id, isFinal }) => isFinal && (id === first || id === first + 2)));
      return client.text(first + 2);
    };
    let first = 1;
    await eventually(async () => {
      const answer = await ask(first);
      first += 4;
      return /^HTTP\/1.1 200 .*ok\s*$/s.test(answer);
    });
  });
}

test('a container that has ended takes no command, but has its log', real, async () => {
  await world.createPod('done', {
    containers: [{ name: 'app', image: 'test/app:1', args: ['say', 'all', 'good'] }],
    restartPolicy: 'Never',
  });
  await world.until('done', ({ status }) => status?.phase === 'Succeeded', 'done succeeded');
  assert.equal((await request(socketPath, '/containerLogs/default/done/app?follow=true')).text, 'all good\n');
  const client = await new ChannelClient(socketPath, '/exec/default/done/app?command=x&output=1').opened();
  const { message } = (await client.outcome()) as { message: string };
  assert.equal(message, 'Internal error occurred: unable to upgrade connection: container not found ("app")');
});

test('attach shows what a container prints from now on, until it ends', real, async () => {
  await runPod('shown', { env: [{ name: 'START_DELAY_MS', value: '1' }] });
  const client = await new ChannelClient(socketPath, '/attach/default/shown/app?output=1&error=1').opened();
  const pod = await world.pod('shown');
  await fetch(`http://${pod.status?.podIP}:8080/exit?code=3`).catch(() => undefined);
  assert.deepEqual(await client.outcome(), SUCCESS);
});

test('the log of a container that has ended is there for the next agent, and nothing else of it', real, async () => {
  await world.createPod('before', {
    containers: [{ name: 'app', image: 'test/app:1', args: ['say', 'last', 'words'] }],
    restartPolicy: 'Never',
  });
  await world.until('before', ({ status }) => status?.phase === 'Succeeded', 'before succeeded');
  await world.restartAgent();
  const log = (query = '') => request(socketPath, `/containerLogs/default/before/app${query}`);
  assert.equal((await log('?follow=true')).text, 'last words\n');
  assert.match((await log('?previous=true')).text, /previous terminated container "app" in pod "before" not found/);
  const client = await new ChannelClient(socketPath, '/exec/default/before/app?command=x&output=1').opened();
  const { message } = (await client.outcome()) as { message: string };
  assert.match(message, /container not found \("app"\)/);
});
