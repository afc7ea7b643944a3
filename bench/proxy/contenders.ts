/** The processes that are compared, each with what stands behind it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { emptyRoutingTable, type RoutingTable } from '#protocol/routing.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';

export interface Contender {
  readonly name: string;
  readonly port: number;
  /** The processes whose time counts. */
  readonly pids: () => number[];
  readonly stop: () => void;
}

export const BODIES = { small: 35, large: 64 * 1024 } as const;
export type Body = keyof typeof BODIES;

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => {});
      setTimeout(() => socket.destroy(), 20);
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}

function nginx(dir: string, name: string, server: string): ChildProcess {
  const home = path.join(dir, name);
  mkdirSync(home, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  const config = [
    `user root; worker_processes 1; daemon off; pid ${home}/pid; error_log ${home}/error.log crit;`,
    'events { worker_connections 8192; }',
    `http { access_log off; keepalive_requests 1000000000; ${temporary.join(' ')} ${server} }`,
  ].join('\n');
  writeFileSync(path.join(home, 'nginx.conf'), config);
  return spawn('nginx', ['-c', path.join(home, 'nginx.conf'), '-p', home], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** nginx answering from memory: the cheapest server there is, behind all contenders alike. */
export async function startBackend(dir: string, body: Body): Promise<Contender> {
  const port = await freePort();
  mkdirSync(path.join(dir, 'www'), { recursive: true });
  writeFileSync(path.join(dir, 'www', 'large'), 'x'.repeat(BODIES.large));
  const answer =
    body === 'small' ? `return 200 "${'x'.repeat(BODIES.small)}";` : `root ${dir}/www; rewrite ^ /large break;`;
  const process = nginx(dir, 'backend', `server { listen 127.0.0.1:${port} backlog=4096; location / { ${answer} } }`);
  await answers(port);
  return { name: 'direct', port, pids: () => [], stop: () => process.kill() };
}

/** nginx as a proxy that keeps connections to the server behind and adds the client's address. */
export async function startNginx(dir: string, backend: number): Promise<Contender> {
  const port = await freePort();
  const upstream = `upstream behind { server 127.0.0.1:${backend}; keepalive 1024; keepalive_requests 1000000000; }`;
  const location =
    'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;';
  const server = `server { listen 127.0.0.1:${port} backlog=4096; location / { ${location} } }`;
  const process = nginx(dir, 'proxy', `${upstream} ${server}`);
  await answers(port);
  return { name: 'nginx', port, pids: () => childrenOf(process.pid ?? 0), stop: () => process.kill() };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** The gateway as it ships: main thread, workers, inherited listeners; one revision without a limit. */
export async function startGateway(dir: string, backend: number, workers: number): Promise<Contender> {
  const home = path.join(dir, `gateway-${workers}`);
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'routing.json'), JSON.stringify(tableFor(backend)));
  const fds = [0, 0].map(() => listenTcp({ address: '127.0.0.1', port: 0 }));
  const entry = path.join(import.meta.dirname, '../../src/dataplane/fixtures/gateway-process.ts');
  const args = ['--disable-warning=ExperimentalWarning', entry, home, `${workers}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', ...fds] });
  const { port = 0 } = boundAddress(fds[0] ?? -1) ?? {};
  await answers(port);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const pid = child.pid ?? 0;
  return {
    name: `pinnace (${workers} worker${workers > 1 ? 's' : ''})`,
    port,
    pids: () => [pid],
    stop: () => child.kill('SIGKILL'),
  };
}

function tableFor(port: number): RoutingTable {
  const revision = {
    namespace: 'default',
    name: 'bench-00001',
    uid: 'bench',
    configuration: 'bench',
    service: 'bench',
    containerConcurrency: 0,
    timeoutMs: 300_000,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
    queueLimit: 10_000,
  };
  const appendHeaders = { 'Knative-Serving-Revision': 'bench-00001', 'Knative-Serving-Namespace': 'default' };
  const splits = [{ target: 'default/bench-00001:80', percent: 100, appendHeaders }];
  const paths = [{ prefix: '', headers: {}, appendHeaders: {}, splits }];
  const rules = [{ hosts: ['bench.example.com'], visibility: 'external' as const, paths }];
  const endpoints = [{ id: 'pod', pod: 'default/bench', address: '127.0.0.1', port, state: 'ready' as const }];
  return {
    ...emptyRoutingTable,
    epoch: 'bench',
    version: 1,
    routes: [{ key: 'default/bench', hash: 'h', httpOption: 'enabled', rules }],
    targets: [{ key: 'default/bench-00001:80', protocol: 'http1', revision, endpoints }],
  };
}

/** Processor time of processes and all their threads so far, in µs. */
export function cpuMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}
