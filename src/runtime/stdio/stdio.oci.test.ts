/** Input and terminals of real containers, through attach, and past the death of the agent. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ChannelClient } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { cgroupFolders, detectCgroups } from '#sys/cgroup-layout.ts';
import { cgroupProcesses } from '#sys/cgroup.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler', 'ldd', 'tar');
const SUCCESS = { metadata: {}, status: 'Success' };

let world: AgentWorld;

before(async () => {
  if (real.skip === undefined) world = await startAgentWorld({ images: ['test/shell:1'] });
});

after(() => world?.[Symbol.asyncDispose]());

type Container = Pod['spec']['containers'][number];

async function run(name: string, script: string, input: Partial<Container>): Promise<void> {
  const containers = [{ name: 'app', image: 'test/shell:1', command: ['/bin/sh', '-c', script], ...input }];
  await world.createPod(name, { containers, restartPolicy: 'Never', terminationGracePeriodSeconds: 0 });
  await world.until(name, ({ status }) => status?.phase === 'Running', `${name} runs`);
}

function attach(name: string, streams: string): Promise<ChannelClient> {
  return new ChannelClient(world.paths.kubeletSocket, `/attach/default/${name}/app?${streams}`).opened();
}

const exitCode = async (name: string) => {
  const { status } = await world.until(
    name,
    (pod) => /Succeeded|Failed/.test(pod.status?.phase ?? ''),
    `${name} ended`,
  );
  return status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
};

/** Processes of the platform's control group that are not of a container that runs: keepers. */
function keepers(): number[] {
  const { cgroup } = planNetwork({ stateDir: world.paths.root, taken: [] });
  const layout = detectCgroups();
  if (!layout) return [];
  const groups = cgroupFolders(layout, `/${cgroup}`).flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [],
  );
  const own = new Set(groups.filter((name) => name.endsWith('-stdio')));
  return [...own].flatMap((name) => cgroupProcesses(layout, `/${cgroup}/${name}`));
}

test('an input for one client ends with it, whatever the size', real, async () => {
  await run('once', 'wc -c; echo and on; exit 3', { stdin: true, stdinOnce: true });
  const client = await attach('once', 'input=1&output=1&error=1');
  const total = 3_000_000;
  for (let sent = 0; sent < total; sent += 50_000) client.send(0, Buffer.alloc(50_000, 'x'));
  client.end(0);
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1), `${total}\nand on\n`);
  assert.equal(await exitCode('once'), 3);
});

test('an input for many clients stays open when one has gone', real, async () => {
  await run('many', 'while read -r line; do echo "got $line"; done', { stdin: true });
  for (const word of ['one', 'two']) {
    const client = await attach('many', 'input=1&output=1');
    client.send(0, `${word}\n`);
    await eventually(() => client.text(1) === `got ${word}\n`);
    client.end(0);
    assert.deepEqual(await client.outcome(), SUCCESS);
  }
});

test('an input that nobody ended is open for the next client when the agent was started again', real, async () => {
  await run('kept', 'cat; echo bye', { stdin: true, stdinOnce: true });
  const first = await attach('kept', 'input=1&output=1');
  first.send(0, 'one\n');
  await eventually(() => first.text(1) === 'one\n');
  await world.restartAgent();
  const second = await attach('kept', 'input=1&output=1');
  second.send(0, 'two\n');
  await eventually(() => second.text(1) === 'two\n');
  second.end(0);
  assert.deepEqual(await second.outcome(), SUCCESS);
  assert.equal(second.text(1), 'two\nbye\n');
});

test('an unfinished line shows at once', real, async () => {
  await run('prompt', 'read -r _; printf "name: "; read -r name; printf "$name!"', { stdin: true, stdinOnce: true });
  const client = await attach('prompt', 'input=1&output=1');
  client.send(0, '\n');
  await eventually(() => client.text(1) === 'name: ');
  client.send(0, 'you\n');
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1), 'name: you!');
});

test('a terminal is the container’s own, with signals and sizes, and outlives the agent', real, async () => {
  const script = 'trap "stty size" WINCH; stty -echo; while :; do read -r line && echo "got $line"; done';
  await run('tty', script, { stdin: true, tty: true });
  const first = await attach('tty', 'input=1&output=1&tty=1');
  first.send(4, '{"Width":111,"Height":33}\n');
  first.send(0, 'one\r');
  await eventually(() => first.text(1).includes('got one\r\n') && first.text(1).includes('33 111\r\n'));
  await world.restartAgent();
  const second = await attach('tty', 'input=1&output=1&tty=1');
  second.send(4, '{"Width":99,"Height":44}\n');
  second.send(0, 'two\r');
  await eventually(() => second.text(1).includes('got two\r\n') && second.text(1).includes('44 99\r\n'));
  // Control-C: the terminal controls the container.
  second.send(0, '\u0003');
  assert.deepEqual(await second.outcome(), SUCCESS);
  assert.equal(await exitCode('tty'), 130);
});

test('a container without an input reads nothing, and one with a terminal alone has no input', real, async () => {
  await run('none', 'sleep 1; cat; [ -t 0 ] || echo no terminal', {});
  const none = await attach('none', 'input=1&output=1');
  assert.deepEqual(await none.outcome(), SUCCESS);
  assert.equal(none.text(1), 'no terminal\n');
  await run('shown', '[ -t 0 ] && echo "a terminal: $TERM"; sleep 1', { tty: true });
  const shown = await attach('shown', 'input=1&output=1');
  shown.send(0, 'not seen\r');
  assert.deepEqual(await shown.outcome(), SUCCESS);
  assert.doesNotMatch(shown.text(1), /not seen/);
});

test('nothing is kept open for containers that have ended', real, async () => {
  await run('last', 'cat', { stdin: true, tty: true });
  assert.ok(keepers().length > 0);
  for (const { metadata } of (await world.client.list(Pod, { namespace: 'default' })).items) {
    await world.client.delete(Pod, { namespace: 'default', name: metadata.name ?? '' });
    await world.gone(metadata.name ?? '');
  }
  await eventually(() => keepers().length === 0);
});
