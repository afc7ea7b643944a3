/**
 * A watcher that replays its events holds what a list answers: under writes made at the same time, with connections
 * that break, and with a history so short that versions are forgotten.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { typed } from '#kube/kind.ts';
import { keyOf, type KubeObject, type WatchEvent } from '#kube/object.ts';
import { isStatus } from '#kube/status.ts';
import type { Subscription } from '#client/transport.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

const NAMESPACES = ['one', 'two'];
const NAMES = ['a', 'b', 'c'];
const LABELS = ['x', 'y'];
const HISTORY_LIMIT = 6;

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
  { fieldSelector: 'metadata.namespace!=one', labelSelector: 'app in (x,y)' },
];

type Change = 'create' | 'relabel' | 'rewrite' | 'same' | 'delete' | 'hold' | 'release';

interface Write {
  readonly type: Change;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly number: number;
}

/** What happens in one turn: writes at the same time, then some watchers lose or find their connection. */
interface Turn {
  readonly writes: readonly Write[];
  readonly toggled: readonly number[];
}

const write: fc.Arbitrary<Write> = fc.record({
  type: fc.constantFrom<Change>('create', 'create', 'relabel', 'rewrite', 'same', 'delete', 'hold', 'release'),
  namespace: fc.constantFrom(...NAMESPACES),
  name: fc.constantFrom(...NAMES),
  label: fc.constantFrom(...LABELS),
  number: fc.nat({ max: 3 }),
});

const turn: fc.Arbitrary<Turn> = fc.record({
  writes: fc.array(write, { maxLength: 6 }),
  toggled: fc.array(fc.nat({ max: SELECTIONS.length - 1 }), { maxLength: 2 }),
});

class Watcher {
  readonly held = new Map<string, KubeObject>();
  relists = 0;
  readonly #api: TestApi;
  readonly #selection: Selection;
  #subscription: Subscription | undefined;
  #version: string | undefined;

  constructor(api: TestApi, selection: Selection) {
    this.#api = api;
    this.#selection = selection;
  }

  get isConnected(): boolean {
    return this.#subscription !== undefined;
  }

  disconnect(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  async connect(): Promise<void> {
    if (this.#version === undefined) await this.#list();
    if (this.#watch()) return;
    this.relists += 1;
    await this.#list();
    assert.ok(this.#watch(), 'a watch begins at the version of a fresh list');
  }

  async #list(): Promise<void> {
    const list = await this.listed();
    this.held.clear();
    for (const object of list.items) this.held.set(keyOf(object), object);
    this.#version = list.metadata.resourceVersion;
  }

  listed() {
    return this.#api.client.list(ConfigMap, this.#selection);
  }

  /** False when the version is forgotten. */
  #watch(): boolean {
    const { namespace, ...options } = this.#selection;
    let isTooOld = false;
    this.#subscription = this.#api.transport.watch(
      { kind: ConfigMap, namespace, options: { ...options, resourceVersion: this.#version } },
      {
        onEvent: (event) => this.#take(event),
        onEnd: (error) => {
          assert.ok(isStatus(error, 'Expired'), String(error));
          isTooOld = true;
        },
      },
    );
    if (isTooOld) this.#subscription = undefined;
    return !isTooOld;
  }

  #take({ type, object }: WatchEvent<KubeObject>): void {
    const key = keyOf(object);
    assert.equal(this.held.has(key), type !== 'ADDED', `${type} of ${key}`);
    const version = object.metadata.resourceVersion ?? '';
    assert.ok(Number(version) > Number(this.#version), `${version} comes after ${this.#version}`);
    this.#version = version;
    if (type === 'DELETED') this.held.delete(key);
    else this.held.set(key, object);
  }
}

test('a watcher that replays its events holds what a list answers', async () => {
  let relists = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 25 }), async (turns) => {
      await using api = await startTestApi({ namespaces: NAMESPACES, historyLimit: HISTORY_LIMIT });
      const watchers = SELECTIONS.map((selection) => new Watcher(api, selection));
      await Promise.all(watchers.map((watcher) => watcher.connect()));
      for (const { writes, toggled } of turns) {
        await Promise.allSettled(writes.map((one) => carryOut(api, one)));
        for (const position of toggled) await toggle(watchers[position]);
        for (const watcher of watchers) if (watcher.isConnected) await compare(watcher);
      }
      for (const watcher of watchers) {
        if (!watcher.isConnected) await watcher.connect();
        await compare(watcher);
        relists += watcher.relists;
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(relists > 0, 'some version was forgotten');
});

async function toggle(watcher: Watcher | undefined): Promise<void> {
  if (watcher?.isConnected) watcher.disconnect();
  else await watcher?.connect();
}

async function compare(watcher: Watcher): Promise<void> {
  const { items } = await watcher.listed();
  assert.deepEqual(watcher.held, new Map(items.map((item) => [keyOf(item), item] as const)));
}

/** Rejects when the write makes no sense just then. */
async function carryOut({ client }: TestApi, { type, namespace, name, label, number }: Write): Promise<void> {
  const ref = { namespace, name };
  switch (type) {
    case 'create': {
      const metadata = { ...ref, labels: { app: label } };
      await client.create(ConfigMap, typed(ConfigMap, { metadata, data: { number: String(number) } }));
      return;
    }
    case 'relabel':
      await client.patch(ConfigMap, ref, { type: 'merge', body: { metadata: { labels: { app: label } } } });
      return;
    case 'rewrite':
      await client.modify(ConfigMap, ref, (current) => ({ ...current, data: { number: String(number) } }));
      return;
    case 'same':
      await client.update(ConfigMap, await client.get(ConfigMap, ref));
      return;
    case 'delete':
      await client.delete(ConfigMap, ref);
      return;
    default: {
      const finalizers = type === 'hold' ? ['example.com/held'] : null;
      await client.patch(ConfigMap, ref, { type: 'merge', body: { metadata: { finalizers } } });
    }
  }
}
