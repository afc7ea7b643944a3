/** Platforms side by side, and what `up`, `down` and `status` promise to scripts. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Service } from '#knative/kinds/service.ts';
import { leftovers, PINNACE, runProgram, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, podsOf } from '#testing/service.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const real = needs('root', 'runc', 'compiler');
const realWithUnshare = needs('root', 'runc', 'compiler', 'unshare');

test('two platforms run at once and know nothing of each other', real, async () => {
  await using first = await TestPlatform.start();
  await using second = await TestPlatform.start({ images: ['test/app:2'] });
  const [one, two] = [
    await deploy(first, 'same-name', { env: { TARGET: 'one' } }),
    await deploy(second, 'same-name', { image: 'test/app:2', env: { TARGET: 'two' } }),
  ];
  assert.match((await first.get(one)).body, /one/);
  assert.match((await second.get(two)).body, /two/);
  const addresses = [...(await podsOf(first, 'same-name')), ...(await podsOf(second, 'same-name'))];
  assert.equal(new Set(addresses.map(({ status }) => status?.podIP)).size, 2);
  const marks = [...readFileSync('/etc/hosts', 'utf8').matchAll(/^# BEGIN pinnace (\w+)/gm)].map(([, id]) => id);
  assert.ok(marks.length >= 2, 'each has its own lines in /etc/hosts');
  await first.down('--purge');
  assert.deepEqual(leftovers(first.stateDir), []);
  assert.equal((await second.get(two)).status, 200, 'the other one does not notice');
});

test('status says what runs, for scripts', real, async () => {
  await using platform = await TestPlatform.start({ images: [] });
  const status = await platform.status();
  assert.equal(status.ready, true);
  assert.equal(status.stateDir, platform.stateDir);
  assert.match(status.version, /^\d+\.\d+\.\d+/);
  assert.match(status.api.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.match(status.gateway.http, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(status.gateway.https, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(status.processes.map(({ name }) => name).sort(), ['control', 'gateway', 'supervisor']);
  assert.ok(status.processes.every(({ pid }) => pid > 1));
  await platform.down();
  const stopped = await platform.tryPinnace('status', '-o', 'json');
  assert.equal(stopped.code, 1);
  assert.equal((JSON.parse(stopped.stdout) as typeof status).ready, false);
});

test('up again changes nothing, and refuses other settings while it runs', real, async () => {
  await using platform = await TestPlatform.start({ images: [] });
  const before = await platform.status();
  await platform.up();
  assert.deepEqual(
    (await platform.status()).processes.map(({ pid }) => pid),
    before.processes.map(({ pid }) => pid),
  );
  const refused = await platform.tryPinnace('up', '--wait', '--listen', '0.0.0.0');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /other settings \(.*listenAddress/);
});

test(
  'from another mount namespace a platform is seen, is not started twice, and can be stopped',
  realWithUnshare,
  async () => {
    using folder = new TemporaryFolder();
    const stateDir = folder.at('state');
    const flags = ['--state-dir', stateDir, '--api-port', '0', '--http-port', '0', '--https-port', '0'];
    try {
      const first = await runProgram('unshare', ['--mount', PINNACE, 'up', '--wait', ...flags]);
      assert.equal(first.code, 0, first.stderr);
      const status = await runProgram(PINNACE, ['status', '-o', 'json', '--state-dir', stateDir]);
      assert.equal(status.code, 0, status.stdout);
      assert.equal((JSON.parse(status.stdout) as { processes: unknown[] }).processes.length, 3);
      const second = await runProgram(PINNACE, ['up', '--wait', ...flags]);
      assert.equal(second.code, 1);
      assert.match(second.stderr, /cannot be seen from here\n.*nsenter --mount --target \d+/);
    } finally {
      await runProgram(PINNACE, ['down', '--purge', '--state-dir', stateDir]);
    }
    assert.deepEqual(leftovers(stateDir), []);
  },
);

test('objects survive down and up', real, async () => {
  await using platform = await TestPlatform.start();
  await deploy(platform, 'kept');
  const before = await platform.client.get(Service, { namespace: 'default', name: 'kept' });
  await platform.down();
  await platform.up();
  const after = await platform.client.get(Service, { namespace: 'default', name: 'kept' });
  assert.equal(after.metadata.uid, before.metadata.uid);
  assert.equal(after.metadata.generation, before.metadata.generation);
});

test('a port that is taken is named, with its owner and a cure, and nothing is left', real, async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  using folder = new TemporaryFolder();
  const stateDir = folder.at('state');
  const ports = ['--api-port', '0', '--https-port', '0'];
  const up = ['up', '--wait', '--state-dir', stateDir, ...ports];
  const refused = await runProgram(PINNACE, [...up, '--http-port', String(port)]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    new RegExp(
      `port ${port} on 127\\.0\\.0\\.1, wanted for http, is taken by .+\\(process ${process.pid}\\)[\\s\\S]*--http-port`,
    ),
  );
  assert.deepEqual(leftovers(stateDir), []);
  assert.ok(!existsSync(stateDir));
  // One that ran before keeps what it has.
  try {
    assert.equal((await runProgram(PINNACE, [...up, '--http-port', '0'])).code, 0);
    assert.equal((await runProgram(PINNACE, ['down', '--state-dir', stateDir])).code, 0);
    assert.equal((await runProgram(PINNACE, [...up, '--http-port', String(port)])).code, 1);
    assert.ok(existsSync(path.join(stateDir, 'store')));
    assert.ok(!leftovers(stateDir).some((one) => one.startsWith(path.join(stateDir, 'run'))));
  } finally {
    server.close();
    await runProgram(PINNACE, ['down', '--purge', '--state-dir', stateDir]);
  }
});

test('a state directory whose sockets would have no room is refused', real, async () => {
  using folder = new TemporaryFolder();
  const { code, stderr } = await runProgram(PINNACE, ['up', '--wait', '--state-dir', folder.at('x'.repeat(100))]);
  assert.equal(code, 1);
  assert.match(stderr, /bytes too long for the sockets in it\n.*--state-dir/);
});

test('wrong usage is told apart from failure', real, async () => {
  await using platform = await TestPlatform.start({ images: [] });
  for (const args of [
    ['up', '--http-port', '70000'],
    ['up', '--listen', 'nowhere'],
    ['fly'],
    ['status', '-o', 'xml'],
  ]) {
    const { code, stderr } = await platform.tryPinnace(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /error:/);
  }
});
