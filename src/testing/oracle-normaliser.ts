/**
 * Makes an answer comparable with a recorded one: identities, times, addresses and random names become the
 * placeholders of the recordings; order, absence and texts stay as they are. Whose UID is whose stays visible: a UID
 * becomes `<uid Kind.group/name>` once its object was seen.
 */
import { isObject } from '#base/json.ts';

const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';
const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const POD_NAME = new RegExp(`(-deployment)-${RANDOM}{6,10}(-${RANDOM}{5})?\\b`, 'g');
const TOKEN_VOLUME = new RegExp(`(kube-api-access)-${RANDOM}{5}\\b`, 'g');
const ADDRESS = /\b(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}\b/g;
const BACK_OFF = /\bback-off (?:\d+h)?(?:\d+m)?[\d.]+m?s\b/g;

const CALLER = /^[a-z.]+\.knative\.dev\/(creator|lastModifier)$/;
const MASKED: Readonly<Record<string, string>> = {
  resourceVersion: '<rv>',
  continue: '<continue>',
  'pod-template-hash': '<hash>',
  'serving.knative.dev/deployment-hash': '<hash>',
};

/** Controllers rewrite these: how often is no behaviour, that they observed the last time is. */
const REWRITTEN = new Set(['Deployment', 'ReplicaSet', 'ServerlessService', 'PodAutoscaler', 'Metric', 'Ingress']);

type Json = Record<string, unknown>;

export class Normaliser {
  readonly #namespace: string;
  readonly #user: string;
  readonly #uids = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #generated: { pattern: RegExp; stable: string }[] = [];

  constructor({ namespace, user }: { namespace: string; user: string }) {
    this.#namespace = namespace;
    this.#user = user;
  }

  /** Names made from this prefix are told apart from it only. */
  expectGenerated(prefix: string): void {
    const escaped = prefix.replaceAll(/\W/g, String.raw`\$&`);
    this.#generated.push({ pattern: new RegExp(`${escaped}${RANDOM}{5}`, 'g'), stable: `${prefix}<random>` });
  }

  /** Remembers whose UID is which, of one object or of a list's; call it on an answer before `normalise`. */
  learn(value: unknown): void {
    if (!isObject(value)) return;
    const { items, kind, apiVersion } = value;
    if (!Array.isArray(items)) return this.#learnObject(value);
    for (const item of items as Json[]) {
      this.#learnObject({ kind: String(kind).replace(/List$/, ''), apiVersion, ...item });
    }
  }

  normalise(value: unknown, key = ''): unknown {
    if (typeof value === 'string') {
      if (CALLER.test(key) && value === this.#user) return '<user>';
      return Object.hasOwn(MASKED, key) ? MASKED[key] : this.#text(value);
    }
    if (Array.isArray(value)) {
      const list = value.map((entry: unknown) => this.normalise(entry));
      return inStableOrder(key, list);
    }
    if (!isObject(value)) return value;
    const entries = Object.entries(value).filter(([name, entry]) => name !== 'managedFields' && entry !== undefined);
    const result = Object.fromEntries(entries.map(([name, entry]) => [this.#text(name), this.normalise(entry, name)]));
    return REWRITTEN.has(String(value['kind'])) ? withoutGeneration(result) : result;
  }

  #learnObject({ kind, apiVersion, metadata }: Json): void {
    if (!isObject(metadata) || metadata['uid'] === undefined) return;
    const { uid, name = '', generateName } = metadata as Partial<Record<string, string>>;
    const isGenerated = generateName !== undefined && name.startsWith(generateName);
    const stable = isGenerated ? `${generateName}<random>` : name;
    if (isGenerated) this.#names.set(name, stable);
    const group = String(apiVersion).includes('/') ? `.${String(apiVersion).split('/')[0]}` : '';
    this.#uids.set(String(uid), this.#text(`<uid ${String(kind)}${group}/${stable}>`));
  }

  #text(text: string): string {
    let result = text;
    for (const [name, stable] of this.#names) result = result.replaceAll(name, stable);
    for (const { pattern, stable } of this.#generated) result = result.replaceAll(pattern, stable);
    return result
      .replaceAll(this.#namespace, '{{ns}}')
      .replaceAll(UUID, (uid) => this.#uids.get(uid) ?? '<uid>')
      .replaceAll(TIME, (_, fraction?: string, zone?: string) => {
        return `<time${fraction ? '.fraction' : ''}${zone === 'Z' ? '' : ' with offset'}>`;
      })
      .replaceAll(POD_NAME, (_, stem: string, pod?: string) => `${stem}-<hash>${pod ? '-<random>' : ''}`)
      .replaceAll(TOKEN_VOLUME, '$1-<random>')
      .replaceAll(ADDRESS, '<ip>')
      .replaceAll(BACK_OFF, 'back-off <duration>');
  }
}

/** Three lists come in the order of a map or of arrival; every other keeps the server's order. */
function inStableOrder(key: string, list: unknown[]): unknown[] {
  const [first] = list;
  if (key === 'subsets') return list.map(withSortedPorts);
  if (key === 'resources' && isObject(first) && 'verbs' in first) return sortedBy('name', list);
  if (key === 'conditions' && isObject(first) && 'lastUpdateTime' in first) return sortedBy('type', list);
  return list;
}

function withSortedPorts(subset: unknown): unknown {
  if (!isObject(subset) || !Array.isArray(subset['ports'])) return subset;
  return { ...subset, ports: sortedBy('name', subset['ports'] as unknown[]) };
}

function sortedBy(field: string, list: readonly unknown[]): unknown[] {
  const valueOf = (entry: unknown) => (isObject(entry) ? String(entry[field]) : '');
  return list.toSorted((left, right) => (valueOf(left) < valueOf(right) ? -1 : 1));
}

function withoutGeneration(object: Json): Json {
  const { metadata, status } = object;
  if (!isObject(metadata) || typeof metadata['generation'] !== 'number') return object;
  const isCurrent = isObject(status) && status['observedGeneration'] === metadata['generation'];
  return {
    ...object,
    metadata: { ...metadata, generation: '<generation>' },
    ...(isCurrent ? { status: { ...status, observedGeneration: '<generation>' } } : {}),
  };
}
