/**
 * A cluster, spoken to over HTTPS by its administrator, as the target of recorded cases: each case gets a namespace of
 * its own, and the ConfigMaps that it wants are set for as long as it takes.
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { systemClock } from '#base/clock.ts';
import type { ClusterAccess } from '#client/kubeconfig.ts';
import { eventually } from '#testing/eventually.ts';
import type { OracleAnswer, OracleCase, OracleRequest } from '#testing/oracle.ts';
import { fillIn, readPointer } from '#testing/oracle.ts';
import { type OracleTarget, replayCase } from '#testing/oracle-replay.ts';

const SYSTEM_NAMESPACE = 'knative-serving';
const MAX_SOCKETS = 64;
const ANSWER_LIMIT_MS = 60_000;
const POLL_MS = 100;

type Config = NonNullable<OracleCase['config']>;

export class OracleCluster implements Disposable {
  readonly #access: ClusterAccess;
  readonly #agent: https.Agent;
  readonly #user: string;

  constructor(access: ClusterAccess) {
    const { caCertificate: ca, clientCertificate: cert, clientKey: key } = access;
    this.#access = access;
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, ca, cert, key });
    this.#user = /^CN=(.*)$/m.exec(new X509Certificate(cert ?? '').subject)?.[1] ?? '';
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** The differences from the recording; see `replayCase`. */
  async replay(test: OracleCase): Promise<string[]> {
    const target = await this.#prepare();
    try {
      return await replayCase(target, test);
    } finally {
      for (const path of test.cleanup ?? [])
        await this.send({ method: 'DELETE', path: fillIn(path, { ns: target.namespace }) });
      await this.send({ method: 'DELETE', path: `/api/v1/namespaces/${target.namespace}` });
    }
  }

  /** Sets keys of ConfigMaps; disposing of the answer puts them back. */
  async configure(config: Config): Promise<AsyncDisposable> {
    const before: Record<string, Record<string, string | null>> = {};
    for (const [name, data] of Object.entries(config)) {
      const { body } = await this.send({ method: 'GET', path: pathOf(name) });
      const had = (readPointer(body, '/data') ?? {}) as Record<string, string>;
      before[name] = Object.fromEntries(Object.keys(data).map((key) => [key, had[key] ?? null]));
    }
    await this.#patchAll(config);
    return { [Symbol.asyncDispose]: async () => this.#patchAll(before) };
  }

  async send({ method, path, headers = {}, body }: OracleRequest): Promise<OracleAnswer> {
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    // Node says nothing of the length of a DELETE's body by itself.
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const sent = { accept: 'application/json', ...type, ...length, ...headers };
    const answer = await this.#exchange({ method, path, headers: sent, body: payload });
    return { status: answer.status, headers: plainHeaders(answer.headers), body: parsed(answer.text) };
  }

  async #prepare(): Promise<OracleTarget> {
    const namespace = `o${crypto.randomUUID().replaceAll('-', '').slice(0, 9)}`;
    const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const made = await this.send({ method: 'POST', path: '/api/v1/namespaces', body: manifest });
    if (made.status !== 201) throw new Error(`no namespace: ${JSON.stringify(made.body)}`);
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await eventually(async () => (await this.send({ method: 'GET', path: account })).status === 200, { what: account });
    const never = new AbortController().signal;
    return {
      namespace,
      user: this.#user,
      send: async (request) => this.send(request),
      now: () => systemClock.monotonicMs(),
      pass: async (ms) => systemClock.sleep(ms, never),
      async waitFor(check, timeoutMs) {
        const deadline = systemClock.monotonicMs() + timeoutMs;
        while (!(await check())) {
          if (systemClock.monotonicMs() > deadline) return false;
          await systemClock.sleep(POLL_MS, never);
        }
        return true;
      },
    };
  }

  async #patchAll(config: Readonly<Record<string, Readonly<Record<string, string | null>>>>): Promise<void> {
    const headers = { 'content-type': 'application/merge-patch+json' };
    for (const [name, data] of Object.entries(config)) {
      const answer = await this.send({ method: 'PATCH', path: pathOf(name), headers, body: { data } });
      if (answer.status !== 200) throw new Error(`ConfigMap ${name}: ${JSON.stringify(answer.body)}`);
    }
  }

  #exchange({
    method,
    path,
    headers,
    body,
  }: Exchange): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    return new Promise((resolve, reject) => {
      const url = new URL(path, this.#access.server);
      const options = { method, headers, agent: this.#agent, timeout: ANSWER_LIMIT_MS };
      const outgoing = https.request(url, options, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text: Buffer.concat(pieces).toString('utf8') });
        });
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in time`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

function pathOf(configMap: string): string {
  return `/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps/${configMap}`;
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** JSON as a value; anything else as the text that it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
