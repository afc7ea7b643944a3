/** Pods from outside: the real kubectl runs, attaches to, reads, enters, copies and forwards to real containers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { eventually } from '#testing/eventually.ts';
import { type Output, runProgram, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { TerminalProgram } from '#testing/terminal-program.ts';

const real = needs('root', 'runc', 'compiler', 'ldd', 'tar', 'kubectl 1.32 or later');
const SHELL = ['--image=test/shell:1', '--image-pull-policy=Never'];

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata:
  name: multi
  annotations: {kubectl.kubernetes.io/default-container: second}
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: prep, image: "test/shell:1", command: [sh, -c, "echo preparing"]}
  containers:
  - {name: first, image: "test/shell:1", command: [sh, -c, "trap exit TERM; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done"]}
  - {name: second, image: "test/shell:1", command: [sh, -c, "trap exit TERM; echo second; echo oh >&2; while :; do sleep 1; done"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: app, image: "dev.local/oracle:1", ports: [{containerPort: 8080, name: http}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "test/shell:1", command: [sh, -c, "echo from the job"]}]
`;

interface Forward extends Disposable {
  readonly ports: readonly number[];
  said(): string;
}

describe('pods from outside', real, () => {
  const stack = new AsyncDisposableStack();
  let platform: TestPlatform;
  let folder: TemporaryFolder;

  const kubectl = (...args: string[]): Promise<string> => platform.kubectl(args);
  const outcome = (args: readonly string[], input = ''): Promise<Output> => platform.tryKubectl(args, input);
  const environment = () => ({ KUBECONFIG: platform.paths.kubeconfig });
  const inTerminal = (...args: string[]) => new TerminalProgram('kubectl', args, environment());
  const begin = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess =>
    spawn('kubectl', args, { env: { ...process.env, ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const greeting = async (port = 0) => (await fetch(`http://127.0.0.1:${port}/`)).text();

  /** kubectl port-forward of a target and its ports; what it says, and the local port of each. */
  async function forward(what: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Forward> {
    const child = begin(['port-forward', ...what], env);
    let said = '';
    for (const output of [child.stdout, child.stderr]) output?.on('data', (chunk: Buffer) => (said += String(chunk)));
    const local = () => [...said.matchAll(/127\.0\.0\.1:(\d+) ->/g)].map(([, port]) => Number(port));
    await eventually(() => local().length === what.length - 1);
    return { ports: local(), said: () => said, [Symbol.dispose]: () => void child.kill('SIGKILL') };
  }

  before(async () => {
    folder = stack.use(new TemporaryFolder('kubectl-pods-'));
    platform = stack.use(await TestPlatform.start({ images: ['test/shell:1', 'dev.local/oracle:1'] }));
    await platform.kubectl(['apply', '-f', '-'], MANIFEST);
    await kubectl('wait', '--for=condition=Ready', 'pod/multi', '--timeout=20s');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=20s');
  });
  after(() => stack.disposeAsync());

  test('run -i --rm: input, outputs and the exit code are those of the program', async () => {
    const script = 'cat; echo oh >&2; exit 3';
    const args = ['run', 'piped', '-i', '--rm', '--restart=Never', ...SHELL, '--', 'sh', '-c', script];
    const { code, stdout, stderr } = await outcome(args, 'hello\n');
    assert.equal(code, 3);
    assert.equal(stdout, 'hello\npod "piped" deleted\n');
    assert.match(stderr, /^oh$/m);
    assert.match(stderr, /pod default\/piped terminated \(Error\)/);
    assert.match((await outcome(['get', 'pod', 'piped'])).stderr, /pods "piped" not found/);
  });

  test('run -it: a terminal with the size of ours, also when that changes', async () => {
    using shell = inTerminal('run', 'typed', '-it', '--rm', '--restart=Never', ...SHELL, '--', 'sh');
    await shell.shows('press');
    shell.type('\r');
    await shell.shows('# ');
    shell.type('stty size; [ -t 0 ] && echo "in $TERM"\r');
    await shell.shows('30 100\r\n');
    await shell.shows('in xterm');
    shell.resize({ rows: 44, columns: 99 });
    await eventually(async () => {
      shell.type('stty size\r');
      await shell.shows('\r\n');
      return shell.shows('44 99').then(() => true);
    });
    shell.type('sleep 60\r');
    await shell.shows('sleep 60');
    shell.type('\u0003');
    await shell.shows('# ');
    shell.type('exit 5\r');
    assert.equal(await shell.ended(), 5);
  });

  test('attach -it: the same shell after control was killed; attach -i ends what takes one client', async () => {
    await kubectl('run', 'kept', '-it', '--attach=false', '--restart=Never', ...SHELL, '--', 'sh');
    await kubectl('run', 'adder', '-i', '--attach=false', '--restart=Never', ...SHELL, '--', 'wc', '-c');
    await kubectl('wait', '--for=condition=Ready', 'pod/kept', 'pod/adder', '--timeout=10s');
    {
      using first = inTerminal('attach', '-it', 'kept');
      first.type('remembered=yes\r');
      await first.shows('# ');
      process.kill(await platform.pidOf('control'), 'SIGKILL');
      assert.notEqual(await first.ended(), 0);
    }
    await eventually(async () => (await outcome(['get', '--raw', '/readyz'])).code === 0);
    using second = inTerminal('attach', '-it', 'kept');
    second.type('echo "still $remembered"\r');
    await second.shows('\r\nstill yes');
    second.type('exit\r');
    assert.equal(await second.ended(), 0);
    const { stdout } = await outcome(['attach', '-i', 'adder'], 'x'.repeat(100_000));
    assert.equal(stdout, '100000\n');
  });

  test('events: of each container, told apart', async () => {
    const of = (reason: string) => ['get', 'events', '--field-selector', `reason=${reason},involvedObject.name=multi`];
    const parts = '-o=jsonpath={range .items[*]}{.involvedObject.fieldPath}={.count} {end}';
    const pulled = (await kubectl(...of('Pulled'), parts)).trim().split(' ');
    const expected = ['spec.containers{first}=1', 'spec.containers{second}=1', 'spec.initContainers{prep}=1'];
    assert.deepEqual(pulled.toSorted(), expected);
  });

  test('logs: containers, times, bounds', async () => {
    const first = ['logs', 'multi', '-c', 'first'];
    assert.equal(await kubectl('logs', 'multi'), 'second\noh\n');
    assert.equal(await kubectl('logs', 'multi', '-c', 'prep'), 'preparing\n');
    const all = await kubectl('logs', 'multi', '--all-containers', '--prefix');
    for (const line of ['[pod/multi/prep] preparing', '[pod/multi/second] second', '[pod/multi/first] line 1']) {
      assert.ok(all.includes(`${line}\n`), all);
    }
    assert.equal((await kubectl(...first, '--tail=2')).split('\n').length, 3);
    assert.match(await kubectl(...first, '--timestamps', '--tail=1'), /^\d{4}-\S+\.\d{9}Z line \d+\n$/);
    assert.ok((await kubectl(...first, '--since=1s')).split('\n').length < 9);
    assert.equal(await kubectl(...first, '--since-time=2020-01-01T00:00:00Z', '--limit-bytes=9'), 'line 1\nli');
    assert.match((await outcome(['logs', 'multi', '-c', 'none'])).stderr, /container none is not valid for pod multi/);
    assert.match((await outcome(['logs', 'multi', '-p'])).stderr, /previous terminated container "second"/);
  });

  test('logs: of deployments, jobs, services and selectors', async () => {
    assert.equal(await kubectl('logs', 'deployment/web'), 'listening on 8080\n');
    assert.equal(await kubectl('logs', 'service/web'), 'listening on 8080\n');
    await kubectl('wait', '--for=condition=complete', 'job/once', '--timeout=10s');
    assert.equal(await kubectl('logs', 'job/once'), 'from the job\n');
    const lines = (await kubectl('logs', '-l', 'app=web', '--prefix')).trim().split('\n');
    assert.equal(lines.length, 3);
    assert.ok(lines.every((line) => /^\[pod\/web-\S+\/app\] listening on 8080$/.test(line)));
    const { stderr } = await outcome(['logs', '-f', '-l', 'app=web', '--max-log-requests=2']);
    assert.match(stderr, /follow 3 log streams, but maximum allowed concurrency is 2/);
  });

  test('logs -f: until the container ends; the life before it with -p', async () => {
    const script = 'echo begun; sleep 1; echo ended; exit 1';
    await kubectl('run', 'crashing', ...SHELL, '--', 'sh', '-c', script);
    await eventually(async () => /begun/.test((await outcome(['logs', 'crashing'])).stdout));
    assert.equal(await kubectl('logs', '-f', 'crashing'), 'begun\nended\n');
    const restarts = '-o=jsonpath={.status.containerStatuses[0].restartCount}';
    await eventually(async () => (await kubectl('get', 'pod', 'crashing', restarts)) !== '0');
    assert.equal(await kubectl('logs', '-p', 'crashing'), 'begun\nended\n');
  });

  test('exec: codes, streams, and the container that an annotation names', async () => {
    assert.equal((await outcome(['exec', 'multi', '--', 'sh', '-c', 'exit 7'])).code, 7);
    const both = await outcome(['exec', 'multi', '--', 'sh', '-c', 'echo out; echo err >&2; echo $0', 'x']);
    assert.equal(both.stdout, 'out\nx\n');
    assert.equal(both.stderr, 'err\n');
    const large = 'x'.repeat(5_000_000);
    assert.equal((await outcome(['exec', '-i', 'multi', '--', 'wc', '-c'], large)).stdout, `${large.length}\n`);
    assert.match((await outcome(['exec', 'multi', '--', 'none'])).stderr, /exec: "none": executable file not found/);
    assert.match((await outcome(['exec', 'multi', '-c', 'prep', '--', 'ls'])).stderr, /container not found \("prep"\)/);
    assert.equal(await kubectl('exec', 'deployment/web', '--', '/app', 'say', 'hi'), 'hi\n');
    using shell = inTerminal('exec', '-it', 'multi', '--', 'sh');
    await shell.shows('# ');
    shell.type('stty size\r');
    await shell.shows('30 100');
    shell.type('exit 9\r');
    assert.equal(await shell.ended(), 9);
  });

  test('exec and port-forward over SPDY, as kubectl before 1.31 has them', async () => {
    const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };
    const env = { ...environment(), ...spdy };
    const args = ['exec', '-i', 'multi', '--', 'sh', '-c', 'cat; exit 4'];
    const said = await runProgram('kubectl', args, { env, input: 'typed\n' });
    assert.deepEqual([said.code, said.stdout], [4, 'typed\n']);
    using pods = await forward(['deployment/web', ':8080'], spdy);
    assert.equal(await greeting(pods.ports[0]), 'hello\n');
  });

  test('exec: a flood waits for who reads it, and ends with them', async () => {
    const flood = begin(['exec', 'multi', '--', 'sh', '-c', 'echo $$ >/tmp/flood; exec cat /dev/zero']);
    await once(flood.stdout as NodeJS.ReadableStream, 'readable');
    const pid = (await kubectl('exec', 'multi', '--', 'cat', '/tmp/flood')).trim();
    const isThere = async () => (await outcome(['exec', 'multi', '--', 'test', '-d', `/proc/${pid}`])).code === 0;
    assert.ok(await isThere());
    flood.kill('SIGKILL');
    await eventually(async () => !(await isThere()));
  });

  test('cp: files and folders, both ways; without tar in the image it says so', async () => {
    mkdirSync(folder.at('tree/below'), { recursive: true });
    const content = 'x'.repeat(1_000_000);
    writeFileSync(folder.at('tree/large'), content);
    writeFileSync(folder.at('tree/below/small'), 'small\n');
    await kubectl('cp', folder.at('tree'), 'multi:/tmp/');
    assert.equal(await kubectl('exec', 'multi', '--', 'cat', '/tmp/tree/below/small'), 'small\n');
    await kubectl('cp', 'multi:/tmp/tree', folder.at('back'));
    assert.equal(readFileSync(folder.at('back/large'), 'utf8'), content);
    assert.equal(readFileSync(folder.at('back/below/small'), 'utf8'), 'small\n');
    const [pod = ''] = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).trim().split('\n');
    const { code, stderr } = await outcome(['cp', folder.at('tree/large'), `${pod.replace('pod/', '')}:/tmp/large`]);
    assert.equal(code, 1);
    assert.match(stderr, /exec: "tar": executable file not found in \$PATH/);
  });

  test('port-forward: several ports, many connections, targets by name', async () => {
    using pods = await forward(['deployment/web', ':8080', ':http']);
    const [one, two] = pods.ports;
    assert.equal(await greeting(two), 'hello\n');
    const answers = await Promise.all(Array.from({ length: 40 }, () => greeting(one)));
    assert.deepEqual(new Set(answers), new Set(['hello\n']));
    using service = await forward(['service/web', ':80']);
    assert.equal(await greeting(service.ports[0]), 'hello\n');
    assert.match((await outcome(['port-forward', 'service/web', ':81'])).stderr, /does not have a service port 81/);
  });

  test('port-forward: nobody at the port', async () => {
    using pods = await forward(['deployment/web', ':9']);
    await assert.rejects(greeting(pods.ports[0]));
    await eventually(() => /error forwarding port 9 to pod .*connect: connection refused/.test(pods.said()));
  });

  test('proxy: HTTP through the API to pods and Services', async () => {
    const root = '/api/v1/namespaces/default';
    const [pod = ''] = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).trim().split('\n');
    const name = pod.replace('pod/', '');
    const raw = (path: string) => outcome(['get', '--raw', `${root}/${path}`]);
    assert.equal((await raw('services/web/proxy/')).stdout, 'hello\n');
    assert.equal((await raw('services/http:web:80/proxy/healthz')).stdout, 'ok\n');
    assert.equal((await raw(`pods/${name}/proxy/`)).stdout, 'hello\n');
    assert.match((await raw(`pods/${name}:9/proxy/`)).stderr, /error trying to reach service: dial tcp .*:9: connect/);
    assert.match((await raw('services/kubernetes/proxy/')).stderr, /no endpoints available for service "kubernetes"/);
    const proxy = begin(['proxy', '--port=0']);
    const [said] = (await once(proxy.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const address = /127\.0\.0\.1:\d+/.exec(said.toString())?.[0] ?? '';
    const answer = await fetch(`http://${address}${root}/services/web:80/proxy`);
    assert.deepEqual([answer.status, await answer.text()], [200, 'hello\n']);
    assert.ok(answer.url.endsWith('/proxy/'), 'it was led to the root of the program');
    proxy.kill('SIGKILL');
  });
});
