import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Load, TestPlatform } from '#supervisor/fixtures/platform.ts';
import { stopPlatform } from '#supervisor/stop.ts';
import { removeCgroup } from '#sys/cgroup.ts';
import { cgroupFolders, detectCgroups } from '#sys/cgroup-layout.ts';
import { hasCode } from '#sys/errors.ts';
import { pidfdOf } from '#sys/pidfd.ts';
import { identityOf, processStat } from '#sys/proc.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';
import { eventually } from '#testing/eventually.ts';

const platforms: TestPlatform[] = [];
after(async () => {
  for (const platform of platforms) {
    platform.destroy();
    await removeCgroup(detectCgroups()!, platform.settings.cgroup, { clock: systemClock, signal: never });
  }
});

function platformOf(settings: ConstructorParameters<typeof TestPlatform>[0] = {}): TestPlatform {
  const platform = new TestPlatform(settings);
  platforms.push(platform);
  return platform;
}

const kill = (pid: number) => process.kill(pid, 'SIGKILL');
const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const never = new AbortController().signal;
const stop = (platform: TestPlatform) => stopPlatform({ paths: platform.paths, clock: systemClock }, never);

/** Has control leave a process behind that ends by itself; answers its pid. */
async function orphan(platform: TestPlatform, ms: number, exit: number): Promise<number> {
  return Number(await platform.ask('api', `/orphan?ms=${ms}&exit=${exit}`));
}

/** Where a runtime would have put a container, unless it has ended. */
function putInCgroup(platform: TestPlatform, pid: number): void {
  const layout = detectCgroups()!;
  const folder = cgroupFolders(layout, platform.settings.cgroup).find((one) => !one.includes('cpuset'))!;
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(path.join(folder, 'cgroup.procs'), String(pid));
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

test('a platform starts, serves its ports, and stops in order without a trace', async () => {
  const platform = platformOf();
  const supervisor = platform.start();
  const { control, gateway } = await platform.whole();
  assert.equal(processStat(control.pid)?.parent, supervisor.pid);
  assert.equal(await platform.ask('https'), `gateway ${gateway.pid}`);
  assert.equal(platform.state()?.listeners.length, 5);

  const pid = await orphan(platform, 50, 9);
  const target = (fd: string) => readlinkSync(`/proc/${pid}/fd/${fd}`);
  const inherited = readdirSync(`/proc/${pid}/fd`).map(target);
  assert.deepEqual(
    inherited.filter((file) => file.startsWith('socket:') || file.endsWith('.lock')),
    [],
    'what control starts gets neither listeners nor locks',
  );

  supervisor.kill('SIGTERM');
  assert.deepEqual(await once(supervisor, 'exit'), [0, null]);
  assert.deepEqual(platform.processes(), []);
  assert.equal(existsSync(platform.paths.platformState), false);
  assert.deepEqual(await stop(platform), []);
});

/** Processes left by control with exit codes to be recorded, in the platform's control group as containers are. */
class Orphans {
  readonly #platform: TestPlatform;
  readonly #left = new Map<number, { exitCode: number; label: string }>();

  constructor(platform: TestPlatform) {
    this.#platform = platform;
  }

  async leave(lifetimesMs: readonly number[], label: string): Promise<void> {
    for (const ms of lifetimesMs) {
      const exitCode = (this.#left.size % 200) + 1;
      const pid = await orphan(this.#platform, ms, exitCode);
      putInCgroup(this.#platform, pid);
      this.#left.set(pid, { exitCode, label: `${ms} ms, before the death of ${label}` });
    }
  }

  async allRecorded(): Promise<void> {
    const missing = () => {
      const exits = new Map(this.#platform.exits().map(({ pid, exitCode }) => [pid, exitCode]));
      const wrong = [...this.#left].filter(([pid, { exitCode }]) => exits.get(pid) !== exitCode);
      return wrong.map(([pid, { label }]) => `${label}: ${exits.get(pid)}`);
    };
    await eventually(() => missing().length === 0).catch(() => assert.deepEqual(missing(), []));
    assert.equal(this.#platform.exits().length, this.#left.size, 'only orphans are recorded, each once');
  }
}

test('each process is killed again and again under load: nobody is refused, every exit is recorded', async (t) => {
  const platform = platformOf();
  platform.start();
  let pids = await platform.whole();
  const portsNow = () => (['api', 'http', 'local'] as const).map((name) => platform.port(name));
  const ports = portsNow();
  const orphans = new Orphans(platform);
  const took: string[] = [];
  let counts;
  {
    await using load = new Load(ports);
    counts = load.counts;
    for (const name of ['gateway', 'control', 'supervisor', 'control', 'gateway', 'supervisor', 'control'] as const) {
      // Who becomes init's child by a kill, and ends in the milliseconds before somebody looks after it, is lost:
      // what the supervisor inherited when it dies, what control started when the supervisor is no parent of control's.
      const isForeign = processStat(pids.control.pid)?.parent !== pids.supervisor.pid;
      const isRisky = name === 'supervisor' || (name === 'control' && isForeign);
      if (isRisky) await orphans.allRecorded();
      await orphans.leave(name === 'control' && isForeign ? [1_500] : [100, 600, 1_500], `${took.length} ${name}`);
      const start = systemClock.monotonicMs();
      kill(pids[name].pid);
      pids = await platform.whole(pids[name].pid);
      took.push(`${name} ${(systemClock.monotonicMs() - start).toFixed(0)}`);
    }
    await orphans.leave([100], 'nobody');
  }
  t.diagnostic(`from kill to a whole platform in ms: ${took.join(', ')}`);
  t.diagnostic(`requests: ${JSON.stringify(counts)}`);
  assert.equal(counts.refused, 0);
  assert.ok(counts.ok > 500);
  assert.equal(pids.supervisor.restarts, 2);
  await orphans.allRecorded();
  assert.deepEqual(portsNow(), ports);
  assert.deepEqual(await stop(platform), ['supervisor']);
  assert.deepEqual(platform.processes(), []);
});

for (const [names, survivor] of [
  [['supervisor', 'control'], 'gateway'],
  [['supervisor', 'gateway'], 'control'],
] as const) {
  test(`${names.join(' and ')} killed at once: ${survivor} brings them back, and no connection is refused`, async () => {
    const platform = platformOf();
    platform.start();
    const before = await platform.whole();
    await using load = new Load((['api', 'http'] as const).map((name) => platform.port(name)));
    for (const name of names) kill(before[name].pid);
    const now = await platform.whole(...names.map((name) => before[name].pid));
    assert.equal(now[survivor].pid, before[survivor].pid);
    assert.equal(now[survivor].restarts, 0);
    assert.equal(load.counts.refused, 0);
  });
}

test('all three killed at once: the next start has the same ports, also when the report is from another boot', async () => {
  const platform = platformOf();
  platform.start();
  const first = await platform.whole();
  const ports = platform.state()?.listeners;
  const orphaned = await orphan(platform, 10, 1);
  await eventually(() => platform.exits().some(({ pid }) => pid === orphaned));
  for (const { pid } of Object.values(first)) kill(pid);
  await eventually(() => platform.processes().length === 0);
  platform.start();
  const second = await platform.whole(...Object.values(first).map(({ pid }) => pid));
  assert.deepEqual(platform.state()?.listeners, ports);
  assert.ok(platform.exits().some(({ pid }) => pid === orphaned));

  for (const { pid } of Object.values(second)) kill(pid);
  await eventually(() => platform.processes().length === 0);
  const stale = { ...JSON.parse(readFileSync(platform.paths.platformState, 'utf8')), bootId: 'before the reboot' };
  writeFileSync(platform.paths.platformState, JSON.stringify(stale));
  platform.start();
  const third = await platform.whole();
  assert.equal(third.control.restarts, 0);
  assert.deepEqual(platform.exits(), []);
});

test('a process that no report knows is found by its lock', async () => {
  const platform = platformOf();
  platform.start();
  const before = await platform.whole();
  process.kill(before.control.pid, 'SIGSTOP');
  process.kill(before.gateway.pid, 'SIGSTOP');
  const state = platform.state()!;
  kill(before.supervisor.pid);
  await eventually(() => !identityOf(before.supervisor.pid));
  writeFileSync(platform.paths.platformState, JSON.stringify({ ...state, processes: [] }));
  platform.start();
  await eventually(() => platform.process('control') && platform.process('gateway'));
  process.kill(before.control.pid, 'SIGCONT');
  process.kill(before.gateway.pid, 'SIGCONT');
  const now = await platform.whole(before.supervisor.pid);
  assert.equal(now.control.pid, before.control.pid);
  assert.equal(now.gateway.pid, before.gateway.pid);
  assert.equal(platform.processes().length, 3);
});

test('an orphan whose parents were both replaced is still recorded', async () => {
  const platform = platformOf();
  platform.start();
  const first = await platform.whole();
  kill(first.supervisor.pid);
  const second = await platform.whole(first.supervisor.pid);
  const pid = await orphan(platform, 1_500, 77);
  putInCgroup(platform, pid);
  // Control is its parent and no child of the new supervisor: the orphan becomes init's.
  kill(second.control.pid);
  await platform.whole(second.control.pid);
  assert.notEqual(processStat(pid)?.parent, second.supervisor.pid);
  await eventually(() => platform.exits().some((exit) => exit.pid === pid));
  assert.equal(platform.exits().find((exit) => exit.pid === pid)?.exitCode, 77);
});

test('restarts leak no descriptor and leave no zombie', async () => {
  const platform = platformOf();
  platform.start();
  let { supervisor, gateway } = await platform.whole();
  const before = descriptors(supervisor.pid);
  for (let round = 0; round < 5; round += 1) {
    kill(gateway.pid);
    ({ gateway, supervisor } = await platform.whole(gateway.pid));
  }
  await eventually(() => descriptors(supervisor.pid) === before);
  const children = readFileSync(`/proc/${supervisor.pid}/task/${supervisor.pid}/children`, 'utf8').trim().split(' ');
  assert.equal(children.length, 2);
  assert.equal(gateway.restarts, 5);
});

test('of two supervisors the second gives up and says who runs', async () => {
  const platform = platformOf();
  platform.start();
  const { supervisor } = await platform.whole();
  const second = platform.start();
  const [[output], [exitCode]] = await Promise.all([once(second.stderr!, 'data'), once(second, 'exit')]);
  assert.equal(exitCode, 1);
  const text = `the platform in ${platform.root} is already running (its supervisor is process ${supervisor.pid})`;
  assert.ok(String(output).includes(text), String(output));
  assert.equal((await platform.whole()).supervisor.pid, supervisor.pid);
});

test('a port that is taken is named with its owner, unless another may be used', async () => {
  const fd = listenTcp({ address: '127.0.0.1', port: 0 });
  const { port } = boundAddress(fd)!;
  const strict = platformOf({ httpPort: port });
  const child = strict.start();
  const [[output], [exitCode]] = await Promise.all([once(child.stderr!, 'data'), once(child, 'exit')]);
  assert.equal(exitCode, 1);
  const named = new RegExp(`port ${port} on 127.0.0.1, wanted for http, is taken by .+ \\(process ${process.pid}\\)`);
  assert.match(String(output), named);
  assert.deepEqual(strict.processes(), []);

  const lenient = platformOf({ httpPort: port, fallbackPorts: { http: [0] } });
  lenient.start();
  await lenient.whole();
  assert.notEqual(lenient.port('http'), port);
});

test('a platform is stopped without its supervisor, and nobody starts one meanwhile', async () => {
  const platform = platformOf();
  platform.start();
  const { supervisor } = await platform.whole();
  const stopping = stop(platform);
  kill(supervisor.pid);
  assert.ok((await stopping).includes('supervisor'));
  assert.deepEqual(platform.processes(), []);
  assert.deepEqual(platform.exits(), []);
});

test('the beacon says nothing and closes when the supervisor dies', async () => {
  const platform = platformOf();
  platform.start();
  const { supervisor } = await platform.whole();
  const socket = net.connect(platform.paths.supervisorSocket);
  await once(socket, 'connect');
  socket.on('data', () => assert.fail('the beacon spoke'));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  kill(supervisor.pid);
  await closed;
  await platform.whole(supervisor.pid);
  assert.equal(pidfdOf(supervisor), undefined);
});
