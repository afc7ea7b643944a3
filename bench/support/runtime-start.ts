/**
 * The OCI runtime alone: the bundle that the node agent made for a container is started again and again by the runtime's
 * own command, on the machine's own network, and asked until it answers.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { TestPlatform } from '#testing/platform.ts';
import { runtimeExecutable } from '#runtime/drivers/choose.ts';
import { podPaths, readRecords } from '#runtime/pod/record.ts';
import { mountOverlay, unmount } from '#sys/mount.ts';
import { readMounts } from '#sys/mounts.ts';

const HOST = '127.0.0.1';

/** Long enough not to take the processors from what is measured. */
const RETRY_MS = 2;

interface OciSpec {
  root: { path: string };
  mounts: { destination: string; source?: string }[];
  linux: { cgroupsPath?: string; sysctl?: unknown; namespaces: { type: string; path?: string }[] };
  process: { env: string[] };
}

export class RuntimeStart implements Disposable {
  readonly #folder: string;
  readonly #lower: readonly string[];
  readonly #executable: string;
  readonly #port: number;
  #number = 0;

  private constructor(folder: string, from: { lower: readonly string[]; port: number; executable: string }) {
    this.#folder = folder;
    this.#lower = from.lower;
    this.#port = from.port;
    this.#executable = from.executable;
  }

  /** Takes over the bundle of the only container of a running pod. */
  static async from(platform: TestPlatform, podName: string, folder: string): Promise<RuntimeStart> {
    const state = readRecords(platform.paths).states.find(({ pod }) => pod.metadata.name === podName);
    const container = state?.pod.spec.containers[0]?.name ?? '';
    const { bundle, rootfs } = podPaths(platform.paths, state?.pod.metadata.uid ?? '').container(container);
    const overlay = readMounts().find(({ target }) => target === rootfs);
    const lower = overlay?.superOptions.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length);
    const executable = runtimeExecutable('runc');
    if (lower === undefined || executable === undefined) throw new Error('no overlay, or no runc');
    const port = await freePort();
    const spec = JSON.parse(readFileSync(path.join(bundle, 'config.json'), 'utf8')) as OciSpec;
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(onOwnNetwork(spec, port)));
    return new RuntimeStart(folder, { lower: lower.split(':'), port, executable });
  }

  /** The same container as often as is asked for, each with a port and a folder of its own. */
  static async several(count: number, platform: TestPlatform, podName: string, folder: string) {
    const folders = Array.from({ length: count }, (_, number) => path.join(folder, String(number)));
    for (const own of folders) mkdirSync(own);
    return Promise.all(folders.map((own) => RuntimeStart.from(platform, podName, own)));
  }

  /** From the start of the runtime's command to the first byte of the container's answer, ms. */
  async measure(): Promise<number> {
    this.prepare();
    try {
      const startedAt = performance.now();
      return (await this.start()) - startedAt;
    } finally {
      await this.stop();
    }
  }

  /** Makes what the node agent makes before it calls the runtime. */
  prepare(): void {
    this.#number += 1;
    const at = (name: string) => path.join(this.#folder, name);
    for (const name of ['upper', 'work']) rmSync(at(name), { recursive: true, force: true });
    for (const name of ['upper', 'work', 'rootfs']) mkdirSync(at(name), { recursive: true });
    mountOverlay({ target: at('rootfs'), lower: this.#lower, upper: at('upper'), work: at('work') });
  }

  /** Resolves with the instant at which the first byte of an answer came. */
  async start(): Promise<number> {
    const started = this.#runtime('run', '--detach', '--bundle', this.#folder, this.#id);
    const failed = new AbortController();
    const refused = started.catch((error: unknown) => failed.abort(error));
    const answered = await firstAnswer(this.#port, failed.signal);
    await refused;
    return answered;
  }

  async stop(): Promise<void> {
    await this.#runtime('delete', '--force', this.#id);
    while (unmount(path.join(this.#folder, 'rootfs')));
  }

  get #id(): string {
    return `bench-${process.pid}-${this.#port}-${this.#number}`;
  }

  [Symbol.dispose](): void {
    while (unmount(path.join(this.#folder, 'rootfs')));
  }

  #runtime(...args: string[]): Promise<void> {
    const child = spawn(this.#executable, ['--root', path.join(this.#folder, 'runc'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`runc ${args[0]} ended with ${code}`))));
    });
  }
}

/** The same container but for its network and its control group. */
function onOwnNetwork(spec: OciSpec, port: number): OciSpec {
  const namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  const { sysctl: _ofTheNetwork, ...rest } = spec.linux;
  const linux = { ...rest, namespaces, cgroupsPath: `/pinnace-bench-${process.pid}-${port}` };
  const env = spec.process.env.map((pair) => (pair.startsWith('PORT=') ? `PORT=${port}` : pair));
  return { ...spec, linux, root: { ...spec.root, path: 'rootfs' }, process: { ...spec.process, env } };
}

function freePort(): Promise<number> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.listen(0, HOST, () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Tries to connect, again soon when refused, and asks for `/`; answers when the first byte came. */
async function firstAnswer(port: number, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    const at = await tryAnswer(port);
    if (at !== undefined) return at;
    await systemClock.sleep(RETRY_MS, signal);
  }
}

function tryAnswer(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: HOST, port, noDelay: true });
    socket.once('connect', () => socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`));
    socket.once('data', () => {
      const at = performance.now();
      socket.destroy();
      resolve(at);
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}
