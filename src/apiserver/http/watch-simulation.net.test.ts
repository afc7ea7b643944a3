/**
 * Watchers over real connections while several writers are at work: connections break on either side, versions are
 * forgotten, answers come in pieces. Whoever replays what it was sent holds what a list answers in the end, and has never
 * seen an event twice, out of order, or of an object that it did not know. Everything that is decided by chance comes from
 * one seed, which is printed; how the machine interleaves it does not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#base/clock.ts';
import { deepEqual } from '#base/json.ts';
import { Client } from '#client/client.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import type { Subscription } from '#client/transport.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { keyOf, type KubeObject, type WatchEvent } from '#kube/object.ts';
import { isStatus, StatusError } from '#kube/status.ts';
import { eventually } from '#testing/eventually.ts';
import { mulberry32 } from '#testing/fake-clock.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';

const NAMESPACES = ['one', 'two'];
const NAMES = ['a', 'b', 'c', 'd'];
const LABELS = ['x', 'y'];
/** So short that a watcher who is away for a moment has missed too much. */
const HISTORY_LIMIT = 12;
const WRITERS = 4;
const WRITES_OF_EACH = 60;
const RUNS = 4;
const LONGEST_ABSENCE_MS = 60;

interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const SELECTIONS: readonly Selection[] = [
  {},
  { namespace: 'one' },
  { labelSelector: 'app=x' },
  { labelSelector: 'app!=x', namespace: 'two' },
  { fieldSelector: 'metadata.name=a' },
];

type Chance = () => number;

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[Math.floor(chance() * from.length)] as T;
}

class Watcher implements Disposable {
  readonly held = new Map<string, KubeObject>();
  relists = 0;
  readonly #client: Client;
  readonly #selection: Selection;
  readonly #problems: string[];
  #subscription: Subscription | undefined;
  #version = '';

  constructor(client: Client, selection: Selection, problems: string[]) {
    this.#client = client;
    this.#selection = selection;
    this.#problems = problems;
  }

  listed() {
    return this.#client.list(ConfigMap, this.#selection);
  }

  /** Looks away until `stop`, now and then, for a while. */
  async run(chance: Chance, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.connect();
      await systemClock.sleep(chance() * LONGEST_ABSENCE_MS, stop).catch(() => undefined);
      this.disconnect();
      await systemClock.sleep(chance() * LONGEST_ABSENCE_MS, stop).catch(() => undefined);
    }
  }

  /** Unless it is connected already. */
  async connect(): Promise<void> {
    if (this.#subscription) return;
    if (this.#version === '') await this.#list();
    const { namespace, ...options } = this.#selection;
    const request = { kind: ConfigMap, namespace, options: { ...options, resourceVersion: this.#version } };
    const subscription = this.#client.watch(request, {
      onEvent: (event) => this.#take(event),
      onEnd: (error) => this.#end(error),
    });
    this.#subscription = subscription;
  }

  disconnect(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  [Symbol.dispose](): void {
    this.disconnect();
  }

  async #list(): Promise<void> {
    const list = await this.listed();
    this.held.clear();
    for (const object of list.items) this.held.set(keyOf(object), object);
    this.#version = list.metadata.resourceVersion;
  }

  /** Begins anew when the server ends the watch: with a list when it has forgotten too much. */
  #end(error: StatusError | undefined): void {
    this.#subscription = undefined;
    if (error?.reason === 'Expired') {
      this.relists += 1;
      this.#version = '';
    } else if (error && error.reason !== 'ServiceUnavailable') this.#problems.push(error.message);
  }

  #take({ type, object }: WatchEvent<KubeObject>): void {
    const key = keyOf(object);
    const version = object.metadata.resourceVersion ?? '';
    if (this.held.has(key) === (type === 'ADDED')) this.#problems.push(`${type} of ${key} at ${version}`);
    if (Number(version) <= Number(this.#version)) this.#problems.push(`${version} came after ${this.#version}`);
    this.#version = version;
    if (type === 'DELETED') this.held.delete(key);
    else this.held.set(key, object);
  }
}

test('watchers over HTTPS hold what a list answers', { timeout: 120_000 }, async () => {
  let relists = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      relists += await simulate(seed);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  assert.ok(relists > 0, 'some version was forgotten');
});

/** How often a watcher had to begin with a list again. */
async function simulate(seed: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds, historyLimit: HISTORY_LIMIT }));
  for (const name of NAMESPACES) await api.client.create(Namespace, typed(Namespace, { metadata: { name } }));
  const chanceOf = (number: number): Chance => mulberry32(seed + number);
  const problems: string[] = [];
  const watchers = SELECTIONS.map((selection) => stack.use(new Watcher(clientOf(api, stack), selection, problems)));
  const stop = new AbortController();
  const watching = watchers.map((watcher, number) => watcher.run(chanceOf(number), stop.signal));
  const writers = Array.from({ length: WRITERS }, (_, number) => chanceOf(1_000 + number));
  await Promise.all(writers.map((chance) => writeMuch(clientOf(api, stack), chance)));
  stop.abort();
  await Promise.all(watching);
  for (const watcher of watchers) await catchUp(watcher);
  assert.deepEqual(problems, []);
  return watchers.reduce((total, watcher) => total + watcher.relists, 0);
}

function clientOf({ kubeconfig }: HttpsApi, stack: AsyncDisposableStack): Client {
  return new Client(stack.use(new HttpTransport({ access: loadKubeconfig(kubeconfig), userAgent: 'test' })));
}

async function catchUp(watcher: Watcher): Promise<void> {
  const { items } = await watcher.listed();
  const wanted = new Map(items.map((item) => [keyOf(item), item] as const));
  await watcher.connect();
  await eventually(
    async () => {
      if (deepEqual(versions(watcher.held), versions(wanted))) return true;
      await watcher.connect();
      return false;
    },
    { intervalMs: 50 },
  );
  assert.deepEqual(watcher.held, wanted);
}

function versions(held: ReadonlyMap<string, KubeObject>): Record<string, string | undefined> {
  return Object.fromEntries([...held].map(([key, { metadata }]) => [key, metadata.resourceVersion]));
}

async function writeMuch(client: Client, chance: Chance): Promise<void> {
  for (let number = 0; number < WRITES_OF_EACH; number += 1) {
    try {
      await write(client, chance);
    } catch (error) {
      // Others were faster: the object is there already, or no longer, or was changed.
      assert.ok(isStatus(error, 'AlreadyExists', 'NotFound', 'Conflict', 'Invalid'), String(error));
    }
  }
}

async function write(client: Client, chance: Chance): Promise<void> {
  const ref = { namespace: pick(chance, NAMESPACES), name: pick(chance, NAMES) };
  const labels = { app: pick(chance, LABELS) };
  const data = { number: String(Math.floor(chance() * 5)) };
  const kind = pick(chance, [
    'create',
    'create',
    'relabel',
    'rewrite',
    'delete',
    'hold',
    'release',
    'deleteAll',
  ] as const);
  switch (kind) {
    case 'create':
      await client.create(ConfigMap, typed(ConfigMap, { metadata: { ...ref, labels }, data }));
      return;
    case 'relabel':
      await client.patch(ConfigMap, ref, { type: 'merge', body: { metadata: { labels } } });
      return;
    case 'rewrite':
      await client.modify(ConfigMap, ref, (current) => ({ ...current, data }));
      return;
    case 'delete':
      await client.delete(ConfigMap, ref);
      return;
    case 'deleteAll':
      if (chance() > 0.9) for (const name of NAMES) await client.remove(ConfigMap, { ...ref, name });
      return;
    default: {
      const finalizers = kind === 'hold' ? ['example.com/held'] : null;
      await client.patch(ConfigMap, ref, { type: 'merge', body: { metadata: { finalizers } } });
    }
  }
}
