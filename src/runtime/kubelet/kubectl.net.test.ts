/** The real kubectl, through the API, on commands that are real processes of this machine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ReadStream } from 'node:tty';
import { type Cluster, kubectl, startCluster, startKubectl, STREAMINGS } from '#runtime/kubelet/fixtures/cluster.ts';
import { print } from '#runtime/kubelet/fixtures/local-node.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { openPty, setWindowSize } from '#sys/pty.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';

const NEEDED = needs('kubectl 1.32 or later');

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  const { node } = cluster;
  const log = node.log('stdout: line 1', 'stdout: line 2', 'stdout: line 3', 'stdout: line 4', 'stdout: line 5');
  const waiting = { type: 'waiting', reason: 'ImagePullBackOff' } as const;
  await cluster.run({ name: 'talk', containers: [{ spec: { name: 'app' }, current: { file: log.file } }] });
  await cluster.run({ name: 'stuck', containers: [{ spec: { name: 'app' }, life: waiting }] });
  await cluster.run({ name: 'two', containers: [{ spec: { name: 'first' } }, { spec: { name: 'second' } }] });
  await cluster.plan('planned');
});

after(() => cluster[Symbol.asyncDispose]());

type Row = [args: string, code: number, stdout: string, stderr: string];

const LOGS: Row[] = [
  ['logs talk', 0, 'line 1\nline 2\nline 3\nline 4\nline 5\n', ''],
  ['logs talk --tail=2', 0, 'line 4\nline 5\n', ''],
  ['logs talk --tail=0', 0, '', ''],
  ['logs talk -c app --limit-bytes=8', 0, 'line 1\nl', ''],
  ['logs talk --since=1h', 0, 'line 1\nline 2\nline 3\nline 4\nline 5\n', ''],
  ['logs talk -f', 0, 'line 1\nline 2\nline 3\nline 4\nline 5\n', ''],
  ['logs talk -c none', 1, '', 'error: container none is not valid for pod talk\n'],
  [
    'logs talk --previous',
    1,
    '',
    'Error from server (BadRequest): previous terminated container "app" in pod "talk" not found\n',
  ],
  [
    'logs stuck',
    1,
    '',
    'Error from server (BadRequest): container "app" in pod "stuck" is waiting to start: trying and failing to pull image\n',
  ],
  ['logs none', 1, '', 'error: error from server (NotFound): pods "none" not found in namespace "default"\n'],
  ['logs planned', 0, '', ''],
];

for (const [args, code, stdout, stderr] of LOGS) {
  test(`kubectl ${args}`, NEEDED, async () => {
    assert.deepEqual(await kubectl(cluster.api, args.split(' ')), { code, stdout, stderr });
  });
}

test('kubectl logs --timestamps', NEEDED, async () => {
  const { stdout } = await kubectl(cluster.api, ['logs', 'talk', '--timestamps', '--tail=1']);
  assert.match(stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 5\n$/);
});

test('kubectl logs -f goes along with the log and ends with the container', NEEDED, async () => {
  const log = cluster.node.log('stdout: first');
  await cluster.run({ name: 'long', containers: [{ spec: { name: 'app' }, current: { file: log.file, live: log } }] });
  const child = startKubectl(cluster.api, ['logs', '-f', 'long']);
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await eventually(() => seen === 'first\n');
  print(log, 'stderr: second');
  await eventually(() => seen === 'first\nsecond\n');
  log[Symbol.dispose]();
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
});

for (const { upgrade, env } of STREAMINGS) {
  const run = (args: readonly string[], stdin?: string | Buffer) =>
    kubectl(cluster.api, args, { env, ...(stdin === undefined ? {} : { stdin }) });
  const by = `over ${upgrade}`;

  test(`${by}: what exec prints, and its exit code`, NEEDED, async () => {
    cluster.upgrades.length = 0;
    const said = await run(['exec', 'talk', '--', 'echo', 'hello', 'there']);
    assert.deepEqual(said, { code: 0, stdout: 'hello there\n', stderr: '' });
    const failed = await run(['exec', 'talk', '--', 'sh', '-c', 'echo failing >&2; exit 7']);
    assert.deepEqual(failed, { code: 7, stdout: '', stderr: 'failing\ncommand terminated with exit code 7\n' });
    assert.deepEqual(cluster.upgrades, [`exec ${upgrade}`, `exec ${upgrade}`]);
  });

  test(`${by}: exec -i takes the input to its end`, NEEDED, async () => {
    const input = Buffer.alloc(5_000_000, 'all of it\n');
    const piped = await run(['exec', '-i', 'talk', '--', 'cat'], input);
    assert.deepEqual([piped.code, piped.stderr], [0, '']);
    assert.ok(input.equals(Buffer.from(piped.stdout)));
  });

  test(`${by}: a command that cannot be started`, NEEDED, async () => {
    const { code, stdout, stderr } = await run(['exec', 'talk', '--', '/none']);
    assert.deepEqual([code, stdout], [1, '']);
    const wrapping =
      upgrade === 'websocket' ? 'Internal error occurred: Internal error occurred' : 'Internal error occurred';
    assert.equal(
      stderr.replace(/"[0-9a-f]{64}"/, '"<hash>"'),
      `error: ${wrapping}: error executing command in container: failed to exec in container: failed to start exec "<hash>": OCI runtime exec failed: exec failed: unable to start container process: exec: "/none": stat /none: no such file or directory: unknown\n`,
    );
  });

  test(`${by}: refusals`, NEEDED, async () => {
    const notRunning =
      upgrade === 'websocket'
        ? 'error: Internal error occurred: unable to upgrade connection: container not found ("app")\n'
        : 'error: unable to upgrade connection: container not found ("app")\n';
    const rows: Row[] = [
      ['exec talk -c none -- x', 1, '', 'Error from server (BadRequest): container none is not valid for pod talk\n'],
      ['exec none -- x', 1, '', 'Error from server (NotFound): pods "none" not found\n'],
      ['exec stuck -- x', 1, '', notRunning],
      ['exec planned -- x', 1, '', 'Error from server (BadRequest): pod planned does not have a host assigned\n'],
      ['attach none', 1, '', 'Error from server (NotFound): pods "none" not found\n'],
      ['cp none:/x y', 1, '', 'Error from server (NotFound): pods "none" not found\n'],
      ['port-forward pod/none 0:80', 1, '', 'Error from server (NotFound): pods "none" not found\n'],
    ];
    for (const [args, code, stdout, stderr] of rows) {
      assert.deepEqual(await run(args.split(' ')), { code, stdout, stderr }, args);
    }
  });

  test(`${by}: the first container where none is named, and another where one is`, NEEDED, async () => {
    const first = await run(['exec', 'two', '--', 'echo', 'hi']);
    assert.deepEqual([first.code, first.stdout], [0, 'hi\n']);
    assert.match(first.stderr, /^Defaulted container "first" out of: first, second\n$/);
    assert.equal((await run(['exec', 'two', '-c', 'second', '--', 'echo', 'hi'])).stderr, '');
  });

  test(`${by}: exec -it is a terminal of the user's size`, NEEDED, async () => {
    const pty = openPty({ rows: 33, columns: 111 });
    const child = startKubectl(cluster.api, ['exec', '-it', 'talk', '--', 'sh', '-c', TERMINAL_SCRIPT], {
      env,
      terminal: pty.slave,
    });
    closeDescriptor(pty.slave);
    const exited = once(child, 'exit');
    const terminal = new ReadStream(pty.master);
    terminal.on('error', () => {});
    let seen = '';
    terminal.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually(() => seen.includes('33 111'), { what: 'the size', timeoutMs: 20_000 });
    setWindowSize(pty.master, { rows: 44, columns: 99 });
    child.kill('SIGWINCH');
    await eventually(() => seen.includes('44 99'), { what: 'the new size' });
    terminal.write('typed\r');
    await eventually(() => seen.includes('got typed'));
    const [code] = (await exited) as [number];
    assert.equal(code, 9);
    terminal.destroy();
  });

  test(`${by}: cp to and from`, NEEDED, async () => {
    const folder = path.join(cluster.node.folder, upgrade.replace('/', ''));
    mkdirSync(path.join(folder, 'there'), { recursive: true });
    const content = Buffer.alloc(3_000_000, 'content');
    writeFileSync(path.join(folder, 'file'), content);
    const there = await run(['cp', path.join(folder, 'file'), `talk:${folder}/there/copy`]);
    assert.deepEqual([there.code, there.stderr], [0, '']);
    assert.ok(content.equals(readFileSync(path.join(folder, 'there', 'copy'))));
    const back = await run(['cp', `talk:${folder}/there`, path.join(folder, 'back')]);
    assert.equal(back.code, 0, back.stderr);
    assert.ok(content.equals(readFileSync(path.join(folder, 'back', 'copy'))));
  });

  test(`${by}: port-forward carries requests, side by side`, NEEDED, async () => {
    const server = http.createServer((request, response) => response.end(`hello from ${request.url}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    cluster.upgrades.length = 0;
    const child = startKubectl(cluster.api, ['port-forward', 'talk', `0:${port}`, '0:1'], { env });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const localPort = (remote: number) =>
      eventually(() => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${remote}\\n`).exec(printed)?.[1], { timeoutMs: 20_000 });
    const url = `http://127.0.0.1:${await localPort(port)}`;
    const answers = Array.from({ length: 40 }, async (_, index) => (await fetch(`${url}/${index}`)).text());
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: 40 }, (_, index) => `hello from /${index}`),
    );
    assert.deepEqual(cluster.upgrades, [`portforward ${upgrade}`]);
    const refused = connect(Number(await localPort(1)), '127.0.0.1');
    refused.on('error', () => {});
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(
      printed,
      /an error occurred forwarding \d+ -> 1: error forwarding port 1 to pod uid-talk, uid : failed/,
    );
    assert.match(printed, /error: lost connection to pod\n$/);
    server.close();
    server.closeAllConnections();
  });

  test(`${by}: when kubectl is killed the command ends`, NEEDED, async () => {
    const mark = path.join(cluster.node.folder, `ended-${upgrade.length}`);
    const script = `trap 'touch ${mark}; exit' HUP; echo begun; while :; do sleep 0.05; done`;
    const child = startKubectl(cluster.api, ['exec', 'talk', '--', 'sh', '-c', script], { env });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await eventually(() => existsSync(mark));
  });
}

const TERMINAL_SCRIPT = 'trap "stty size" WINCH; stty size; until read line; do :; done; echo "got $line"; exit 9';

test('kubectl attach shows what is printed from now on', NEEDED, async () => {
  const log = cluster.node.log('stdout: before');
  const app = { spec: { name: 'app' }, current: { file: log.file, live: log } };
  await cluster.run({ name: 'shown', containers: [app] });
  const child = startKubectl(cluster.api, ['attach', 'shown']);
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await eventually(() => cluster.upgrades.includes('attach websocket'));
  await eventually(() => {
    print(log, 'stdout: again');
    return seen.includes('again\n');
  });
  assert.ok(!seen.includes('before'));
  log[Symbol.dispose]();
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
});

test('without the node agent the API says so', NEEDED, async () => {
  await using other = await startCluster();
  await other.run({ name: 'talk', containers: [{ spec: { name: 'app' } }] });
  await other.stopNode();
  const logs = await kubectl(other.api, ['logs', 'talk']);
  assert.equal(logs.stderr, 'Error from server (ServiceUnavailable): the node agent is not running\n');
  const exec = await kubectl(other.api, ['exec', 'talk', '--', 'x']);
  assert.equal(exec.stderr, 'Error from server (ServiceUnavailable): the node agent is not running\n');
});
