/**
 * A whole platform for `.e2e` tests: its own state directory and ports, driven as a user drives it, by the `pinnace`
 * command and kubectl. Disposing of it purges it, and fails the test when anything stays on the machine.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { HttpTransport } from '#client/http-transport.ts';
import { Client } from '#client/client.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import type { StatusDocument } from '#cli/status.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { statePaths, type StatePaths } from '#protocol/platform.ts';
import { cgroupFolders, detectCgroups } from '#sys/cgroup-layout.ts';
import { mountsBelow } from '#sys/mounts.ts';
import { identityOf, isRunning } from '#sys/proc.ts';
import { eventually } from '#testing/eventually.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { testImage, type TestImage, writeImages } from '../../test/images/build.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
export const PINNACE = path.join(ROOT, 'bin', 'pinnace');
const COMMAND_LIMIT_MS = 120_000;
const REQUEST_LIMIT_MS = 60_000;

export interface PlatformOptions {
  /** Loaded before anything else. */
  readonly images?: readonly TestImage[];
  /** Keys to set, by ConfigMap of `knative-serving`. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly flags?: readonly string[];
  /** Parent of the state directory, which then is the test's own to remove. */
  readonly parent?: string;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly ms: number;
}

/** Windows as short as Knative's limits allow: a Service is at zero some seconds after its last request. */
export const SHORT_WINDOWS = {
  'config-autoscaler': { 'stable-window': '6s', 'scale-to-zero-grace-period': '1s' },
} as const;

export class TestPlatform implements AsyncDisposable {
  readonly #folder = new TemporaryFolder('pinnace-e2e-');
  readonly stateDir: string;
  readonly #flags: readonly string[];
  #status: Promise<StatusDocument> | undefined;
  #transport: HttpTransport | undefined;

  private constructor({ flags = [], parent }: PlatformOptions) {
    this.#flags = flags;
    this.stateDir = path.join(parent ?? this.#folder.path, 'state');
  }

  static async start(options: PlatformOptions = {}): Promise<TestPlatform> {
    const { images = ['test/app:1'], config = {} } = options;
    const platform = new TestPlatform(options);
    try {
      await platform.up();
      if (images.length > 0) await platform.load(images);
      for (const [name, data] of Object.entries(config)) await platform.configure(name, data);
      return platform;
    } catch (error) {
      await platform[Symbol.asyncDispose]();
      throw error;
    }
  }

  get paths(): StatePaths {
    return statePaths(this.stateDir);
  }

  /** As the platform's administrator, over HTTPS. */
  get client(): Client {
    this.#transport ??= new HttpTransport({ access: loadKubeconfig(this.paths.kubeconfig), userAgent: 'pinnace-test' });
    return new Client(this.#transport);
  }

  /** `up --wait` on free ports. */
  async up(): Promise<void> {
    const ports = ['--api-port', '--http-port', '--https-port'].flatMap((flag) =>
      this.#flags.includes(flag) ? [] : [flag, '0'],
    );
    await this.pinnace('up', '--wait', ...ports, ...this.#flags);
    this.#forget();
  }

  async down(...flags: string[]): Promise<void> {
    await this.pinnace('down', ...flags);
    this.#forget();
  }

  /** Runs a sub-command on this platform's state directory; throws when it fails. */
  async pinnace(...args: string[]): Promise<string> {
    return succeed('pinnace', args, await this.tryPinnace(...args));
  }

  tryPinnace(...args: string[]): Promise<Output> {
    return runProgram(PINNACE, args, { env: { PINNACE_STATE_DIR: this.stateDir } });
  }

  /** @param input given to standard input, such as a manifest for `-f -`. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return succeed('kubectl', args, await this.tryKubectl(args, input));
  }

  tryKubectl(args: readonly string[], input = ''): Promise<Output> {
    return runProgram('kubectl', args, { env: { KUBECONFIG: this.paths.kubeconfig }, input });
  }

  async load(images: readonly TestImage[]): Promise<void> {
    const archive = this.#folder.at('images.tar');
    await writeImages(
      archive,
      images.map((image) => testImage(image)),
    );
    await this.pinnace('image', 'load', archive);
  }

  async configure(name: string, data: Readonly<Record<string, string | null>>): Promise<void> {
    await this.client.patch(ConfigMap, { namespace: 'knative-serving', name }, { type: 'merge', body: { data } });
  }

  async status(): Promise<StatusDocument> {
    return JSON.parse((await this.tryPinnace('status', '-o', 'json')).stdout) as StatusDocument;
  }

  async pidOf(name: string): Promise<number> {
    const found = (await this.status()).processes.find((process) => process.name === name);
    if (!found) throw new Error(`no process ${name} runs`);
    return found.pid;
  }

  /** `kill -9` of all our processes at one instant: stopped first, so that none can start another's successor. */
  async killEverything(): Promise<void> {
    const identities = (await this.status()).processes.flatMap(({ pid }) => identityOf(pid) ?? []);
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const { pid } of identities) process.kill(pid, signal);
    await eventually(() => !identities.some(isRunning), { what: 'all processes are gone' });
  }

  /** Asks the gateway, by Host as clients without our names do. */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    this.#status ??= this.status();
    const { host, pathname, search } = new URL(url);
    const gateway = new URL((await this.#status).gateway.http);
    const { hostname, port } = gateway;
    return request({ hostname, port, path: pathname + search, headers: { ...headers, host } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget();
    using _ = this.#folder;
    const logs = this.#logs();
    const output = await this.tryPinnace('down', '--purge');
    const left = leftovers(this.stateDir);
    if (output.code !== 0) throw new Error(`down --purge failed: ${output.stderr}\n${logs}`);
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}\n${logs}`);
  }

  #forget(): void {
    this.#status = undefined;
    this.#transport?.[Symbol.dispose]();
    this.#transport = undefined;
  }

  /** The end of control's log, for failures. */
  #logs(): string {
    const file = path.join(this.paths.log, 'control.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-20).join('\n') : '';
  }
}

/** What is on this machine of the platform in `stateDir`; empty when nothing is. */
export function leftovers(stateDir: string): string[] {
  const { bridge, cgroup, instance } = planNetwork({ stateDir, taken: [] });
  const layout = detectCgroups();
  const groups = layout ? cgroupFolders(layout, `/${cgroup}`).filter((folder) => existsSync(folder)) : [];
  const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(bridge));
  const mounts = mountsBelow(stateDir).map(({ target }) => target);
  const hosts = readFileSync('/etc/hosts', 'utf8').includes(instance) ? ['lines in /etc/hosts'] : [];
  const files = existsSync(stateDir) ? [stateDir] : [];
  return [...groups, ...links, ...mounts, ...hosts, ...files, ...processesNaming(stateDir)];
}

function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandLine(pid).includes(text))
    .map((pid) => `process ${pid}: ${commandLine(pid)}`);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a program to its end and collects what it prints. Killed after two minutes. */
export function runProgram(file: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: COMMAND_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (piece: Buffer) => pieces.stdout.push(piece));
  child.stderr.on('data', (piece: Buffer) => pieces.stderr.push(piece));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const [stdout, stderr] = [pieces.stdout, pieces.stderr].map((list) => Buffer.concat(list).toString('utf8'));
      resolve({ code: code ?? -1, stdout: stdout ?? '', stderr: stderr ?? '' });
    });
  });
}

function succeed(file: string, args: readonly string[], { code, stdout, stderr }: Output): string {
  if (code === 0) return stdout;
  throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
}

function request(options: http.RequestOptions): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ ...options, agent: false, timeout: REQUEST_LIMIT_MS }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('error', reject);
      response.once('end', () => {
        const body = Buffer.concat(pieces).toString('utf8');
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body, ms: performance.now() - startedAt });
      });
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', reject);
    outgoing.end();
  });
}
