/** Runs one recorded case in a namespace of its own and gives back what was seen, masked, step by step. */
import { gzipSync } from 'node:zlib';
import { systemClock } from '#base/clock.ts';
import { randomSuffix } from '#base/ids.ts';
import { deepEqual, isObject } from '#base/json.ts';
import { eventually } from '#testing/eventually.ts';
import type { Answer, HttpCase, Step } from '#testing/http-replay/case.ts';
import { type Connection, receive, type Received, type Sent } from '#testing/http-replay/connection.ts';
import { Mask } from '#testing/http-replay/mask.ts';
import { partAt } from '#testing/http-replay/pointer.ts';
import { protobufTree } from '#testing/http-replay/protobuf.ts';
import { ReplayedWatch } from '#testing/http-replay/watch.ts';

/** Headers that clients act on. */
const HEADERS = [
  'allow',
  'cache-control',
  'content-encoding',
  'content-type',
  'location',
  'retry-after',
  'vary',
  'warning',
  'www-authenticate',
  'x-content-type-options',
];

const UNTIL_MS = 20_000;
const NAMESPACES = '/api/v1/namespaces';
const SUFFIX_LENGTH = 10;

/** What every namespace has soon after it was made, if the server has the controllers for it. */
const NAMESPACE_CONTENT = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'];

const NEVER = new AbortController().signal;

export class Session implements AsyncDisposable {
  readonly namespace = `oracle-${randomSuffix(systemClock, SUFFIX_LENGTH)}`;
  readonly #connection: Connection;
  readonly #case: HttpCase;
  readonly #mask: Mask;
  readonly #variables = new Map<string, string>([['ns', this.namespace]]);
  readonly #watches = new Map<string, ReplayedWatch>();

  private constructor(connection: Connection, recorded: HttpCase) {
    this.#connection = connection;
    this.#case = recorded;
    this.#mask = new Mask({
      namespace: this.namespace,
      literals: JSON.stringify(recorded.steps.map(({ expect: _, ...step }) => step)),
      keepsManagedFields: recorded.managedFields === true,
    });
  }

  static async start(connection: Connection, recorded: HttpCase): Promise<Session> {
    const session = new Session(connection, recorded);
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: session.namespace } };
    const { status } = await session.#exchange({ method: 'POST', path: NAMESPACES, body });
    if (status !== 201) throw new Error(`the namespace of ${recorded.name} could not be made: ${status}`);
    for (const content of NAMESPACE_CONTENT) {
      const path = `${NAMESPACES}/${session.namespace}/${content}`;
      await eventually(async () => (await session.#exchange({ path })).status === 200, { what: content });
    }
    return session;
  }

  /** Undefined for a step that has no answer. */
  async run(step: Step, position: number): Promise<Answer | undefined> {
    if (step.sleepMs !== undefined) {
      await systemClock.sleep(step.sleepMs, NEVER);
      return undefined;
    }
    if (step.collect !== undefined) return this.#collect(step, position);
    if (step.watch !== undefined) return this.#startWatch(step, step.watch, position);
    const { received, isLate } = await this.#exchangeUntil(step);
    const json = parsed(received);
    for (const [name, pointer] of Object.entries(step.capture ?? {})) {
      this.#variables.set(name, String(partAt(json, pointer)));
    }
    this.#mask.enter(`s${position}`);
    return { ...this.#answer(step, received, json), ...(isLate ? { untilNotReached: true } : {}) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    const body = { propagationPolicy: 'Background' };
    for (const path of [...(this.#case.cleanup ?? []), `${NAMESPACES}/{{ns}}`]) {
      await this.#exchange({ method: 'DELETE', path, body });
    }
  }

  async #exchangeUntil(step: Step): Promise<{ received: Received; isLate: boolean }> {
    const { until, untilMs = UNTIL_MS } = step;
    if (!until) return { received: await this.#exchange(step), isLate: false };
    let received: Received | undefined;
    const probe = async () => {
      const now = await this.#exchange(step);
      received = now;
      const json = parsed(now);
      return Object.entries(until).every(([pointer, wanted]) =>
        this.#holds(pointer === 'status' ? now.status : partAt(json, pointer), wanted),
      );
    };
    const isReached = await eventually(probe, { timeoutMs: untilMs, intervalMs: 20 }).catch(() => false);
    return { received: received ?? (await this.#exchange(step)), isLate: !isReached };
  }

  #holds(seen: unknown, wanted: unknown): boolean {
    if (wanted === null) return seen === undefined;
    return wanted === '*' ? seen !== undefined : deepEqual(seen, this.filled(wanted));
  }

  async #startWatch(step: Step, name: string, position: number): Promise<Answer> {
    const head = await this.#connection.open(this.#sent(step));
    this.#mask.enter(`s${position}`);
    const { response } = head;
    if (response.statusCode !== 200) {
      const received = await receive(response);
      return this.#answer(step, received, parsed(received));
    }
    this.#watches.set(name, new ReplayedWatch(head));
    return { status: 200, headers: this.#headers(response.headers) };
  }

  async #collect({ collect = '', count, timeoutMs }: Step, position: number): Promise<Answer> {
    const watch = this.#watches.get(collect);
    if (!watch) return { events: [], closed: true };
    const { events, closed } = await watch.collect(count, timeoutMs);
    const masked = events.map((event, at) => {
      this.#mask.enter(`s${position}.e${at}`);
      return this.#mask.value(event);
    });
    return { events: masked, closed };
  }

  #exchange(step: Step): Promise<Received> {
    return this.#connection.exchange(this.#sent(step));
  }

  #sent(step: Step): Sent {
    const body = this.#body(step);
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'oracle-http/1' };
    if (body) headers['content-type'] = 'application/json';
    if (body) headers['content-length'] = String(body.length);
    if (step.gzip) headers['content-encoding'] = 'gzip';
    for (const [name, value] of Object.entries(step.headers ?? {})) {
      if (value === null) delete headers[name.toLowerCase()];
      else headers[name.toLowerCase()] = this.filled(value);
    }
    const { method = 'GET', path, auth } = step;
    return { method, path: this.filled(path), headers, body, isAnonymous: auth === 'none' };
  }

  #body({ body, bodyText, bodyBase64, gzip }: Step): Buffer | undefined {
    let bytes: Buffer | undefined;
    if (bodyBase64 !== undefined) bytes = Buffer.from(bodyBase64, 'base64');
    else if (bodyText !== undefined) bytes = Buffer.from(this.filled(bodyText));
    else if (body !== undefined) bytes = Buffer.from(JSON.stringify(this.filled(body)));
    return bytes && gzip ? gzipSync(bytes) : bytes;
  }

  /** `{{name}}`, `{{name|uri}}`, `{{name|base64}}`, and `{{fill:N}}` for N letters. */
  filled<T>(value: T): T {
    if (typeof value === 'string') {
      const text = value.replaceAll(/\{\{(\w+)(?:[:|]([^}]+))?\}\}/g, (whole, name: string, argument?: string) => {
        if (name === 'fill') return 'a'.repeat(Number(argument));
        const known = this.#variables.get(name);
        if (known === undefined) return whole;
        if (argument === 'uri') return encodeURIComponent(known);
        return argument === 'base64' ? Buffer.from(known).toString('base64') : known;
      });
      return text as T;
    }
    if (Array.isArray(value)) return value.map((element: unknown) => this.filled(element)) as T;
    if (!isObject(value)) return value;
    const members = Object.entries(value).map(([name, member]) => [this.filled(name), this.filled(member)]);
    return Object.fromEntries(members) as T;
  }

  #answer(step: Step, received: Received, json: unknown): Answer {
    return {
      status: received.status,
      headers: this.#headers(received.headers),
      ...this.#content(step, received, json),
    };
  }

  #headers(headers: Received['headers']): Record<string, string> {
    const present = HEADERS.filter((name) => headers[name] !== undefined);
    return Object.fromEntries(present.map((name) => [name, this.#mask.text(String(headers[name]))]));
  }

  #content(step: Step, { bytes, headers }: Received, json: unknown): Answer {
    if (step.noBody) return {};
    if (bytes.length === 0) return { text: '' };
    if (String(headers['content-type']).includes('protobuf')) return { protobuf: protobufTree(bytes, this.#mask) };
    if (json === undefined || step.raw) {
      const text = this.#mask.text(bytes.toString('utf8'));
      return { text: step.grep === undefined ? text : matchingLines(text, new RegExp(step.grep)) };
    }
    if (step.sortCauses) sortCauses(json);
    const body = step.keys ? Object.keys(json as object).sort() : this.#mask.value(json);
    if (!step.pick) return { body };
    return { body: Object.fromEntries(step.pick.map((pointer) => [pointer, partAt(body, pointer) ?? null])) };
  }
}

function matchingLines(text: string, pattern: RegExp): string {
  return [...new Set(text.split('\n').filter((line) => pattern.test(line)))].join('\n');
}

/** Undefined for what is no JSON. */
function parsed({ headers, bytes }: Received): unknown {
  if (!/json|text.plain/.test(String(headers['content-type'] ?? 'json'))) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** The recorded server's own order was that of a Go map. */
function sortCauses(json: unknown): void {
  const { details, message } = json as { details?: { causes?: unknown[] }; message: string };
  if (!details?.causes) return;
  details.causes.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  (json as { message: string }).message = message.replace(/(: \[.*\]|: conflicts? with .*)$/s, ': […]');
}
