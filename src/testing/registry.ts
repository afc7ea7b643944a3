/**
 * Debian's `docker-registry` on a free port of the loopback, and images in it that `skopeo` put there. Open, with a
 * password, with bearer tokens of a service that the test runs, with or without TLS.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '#testing/requirements.ts';

const run = promisify(execFile);

/** The registry's user; the hash is bcrypt's of the password. */
export const REGISTRY_USER = 'alice';
export const REGISTRY_PASSWORD = 'correct horse';
const HTPASSWD = `${REGISTRY_USER}:$2b$04$hFmqatD4.sG4tbRC2.vmwe9IEHPPRuyd6/WyHGQ3lK1TNBFCiTJOW\n`;

export interface RegistryServerOptions {
  /** A directory of its own. */
  readonly folder: string;
  readonly auth?:
    | 'none'
    | 'password'
    | { readonly realm: string; readonly service: string; readonly issuer: string; readonly certificate: string };
  /** Files of a certificate and its key. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** A fixed port, to start a registry again where it was. */
  readonly port?: number;
}

export class RegistryServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, { port, folder }: { port: number; folder: string }) {
    this.#process = process;
    this.port = port;
    this.#folder = folder;
  }

  static async start(options: RegistryServerOptions): Promise<RegistryServer> {
    mkdirSync(options.folder, { recursive: true });
    const config = path.join(options.folder, 'config.yml');
    writeFileSync(path.join(options.folder, 'htpasswd'), HTPASSWD);
    writeFileSync(config, JSON.stringify(configOf(options)));
    const program = findProgram('docker-registry') ?? 'docker-registry';
    const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    return new RegistryServer(child, { port: await listeningPort(child), folder: options.folder });
  }

  /** `127.0.0.1:PORT`, as in an image's name. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Copies an image in, as skopeo names sources, such as `oci-archive:FILE:NAME`. */
  async push(source: string, name: string, options: readonly string[] = []): Promise<void> {
    const target = `docker://${this.host}/${name}`;
    const copy = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
    await run('skopeo', [...copy, ...options, await this.#readable(source), target]);
  }

  /** skopeo gives what it unpacks the owners that the archive names, which only root may; tar does not insist. */
  async #readable(source: string): Promise<string> {
    const [, archive, name] = /^oci-archive:([^:]+):(.+)$/.exec(source) ?? [];
    if (process.getuid?.() === 0 || archive === undefined) return source;
    const layout = mkdtempSync(path.join(this.#folder, 'layout-'));
    await run('tar', ['-xf', archive, '-C', layout]);
    return `oci:${layout}:${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

function configOf({ folder, auth = 'none', tls, port = 0 }: RegistryServerOptions): object {
  const http = { addr: `127.0.0.1:${port}`, secret: 'test', ...(tls ? { tls } : {}) };
  const password = { htpasswd: { realm: 'test', path: path.join(folder, 'htpasswd') } };
  const token =
    typeof auth === 'object'
      ? { token: { realm: auth.realm, service: auth.service, issuer: auth.issuer, rootcertbundle: auth.certificate } }
      : {};
  return {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: path.join(folder, 'data') }, delete: { enabled: true } },
    http,
    compatibility: { schema1: { enabled: true } },
    ...(auth === 'none' ? {} : { auth: auth === 'password' ? password : token }),
  };
}

/** The registry says on which port it listens. */
function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const port = /listening on [^ "]*:(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('exit', (code) => reject(new Error(`docker-registry ended with code ${code}: ${said}`)));
    child.once('error', reject);
  });
}

export interface TestCertificates {
  /** PEM. */
  readonly authority: string;
  readonly authorityFile: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority and a certificate of it for the names, by openssl. */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<TestCertificates> {
  const at = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  await openssl('req', ...key, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=registry');
  const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',');
  writeFileSync(at('ext'), `subjectAltName=${alternatives}\n`);
  const signing = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext')];
  await openssl('x509', '-req', '-in', at('server.csr'), '-out', at('server.crt'), ...signing);
  const { stdout } = await openssl('x509', '-in', at('ca.crt'));
  return { authority: stdout, authorityFile: at('ca.crt'), certificate: at('server.crt'), key: at('server.key') };
}
