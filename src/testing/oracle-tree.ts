/**
 * Recorded cases that say what becomes of a manifest: the objects, conditions and Events once everything has settled.
 * Replays their steps on a `ServingWorld` and lists how its objects differ from the recorded ones.
 */
import { isObject } from '#base/json.ts';
import type { ApiRequest } from '#client/transport.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { apiVersionOf, type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { StatusError } from '#kube/status.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { fillIn, Normaliser, oracleDifferences, type OracleRequest } from '#testing/oracle.ts';
import type { ServingWorld } from '#testing/serving-world.ts';

interface Condition {
  readonly path: string;
  readonly at?: string;
  readonly equals?: unknown;
  readonly exists?: boolean;
  readonly status?: number;
}

interface Settle {
  readonly until?: readonly Condition[];
  /** `v1/services`, `serving.knative.dev/v1/services` */
  readonly kinds?: readonly string[];
  readonly quiet?: number;
}

interface TreeStep {
  readonly request?: OracleRequest;
  readonly settle?: Settle;
  readonly pause?: { readonly seconds: number };
  readonly recorded?: unknown;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
}

export interface TreeCase {
  readonly name: string;
  readonly why: string;
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly ignore?: readonly string[];
  readonly subset?: readonly string[];
  readonly steps: readonly TreeStep[];
}

export const TREE_USER = 'system:test';

const KINDS: readonly Kind[] = [...knativeKinds, ...builtinKinds];
const MS_PER_S = 1_000;
const SETTLE_TIMEOUT_MS = 180_000;
const PATCHES: Readonly<Record<string, 'merge' | 'json' | 'strategic'>> = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/strategic-merge-patch+json': 'strategic',
};

/** One line per difference; `ignore` adds to what the case does not compare. */
export async function replayTree(world: ServingWorld, tree: TreeCase, ignore: readonly string[]): Promise<string[]> {
  const run = new Replay(world);
  const differences: string[] = [];
  for (const [index, step] of tree.steps.entries()) {
    const result = await run.step(fillIn(step, { ns: world.namespace }));
    if (step.recorded === undefined || result === undefined) continue;
    const rules = {
      ignore: [...(tree.ignore ?? []), ...(step.ignore ?? []), ...ignore],
      subset: [...(tree.subset ?? []), ...(step.subset ?? [])],
    };
    differences.push(...oracleDifferences(step.recorded, result, rules).map((text) => `step ${index + 1} ${text}`));
  }
  return differences;
}

class Replay {
  readonly #world: ServingWorld;
  readonly #normaliser: Normaliser;

  constructor(world: ServingWorld) {
    this.#world = world;
    this.#normaliser = new Normaliser({ namespace: world.namespace, user: TREE_USER });
  }

  async step(step: TreeStep): Promise<unknown> {
    if (step.pause) await this.#world.rest(step.pause.seconds * MS_PER_S);
    if (step.settle) return this.#settle(step.settle);
    if (!step.request) return undefined;
    const { status, body } = await this.#send(step.request);
    this.#learn(body);
    // Headers belong to HTTP, which is not spoken here.
    const headers = (step.recorded as { headers?: unknown } | undefined)?.headers;
    return { status, headers, body: this.#normaliser.normalise(prepare(body)) };
  }

  async #settle({ until = [], kinds = [], quiet = 2 }: Settle): Promise<unknown> {
    const unmet = new Set(until);
    const meet = async () => {
      for (const condition of unmet) if (await this.#holds(condition)) unmet.delete(condition);
      return unmet.size === 0;
    };
    await this.#world.until(JSON.stringify(until), meet, SETTLE_TIMEOUT_MS);
    await this.#world.rest(quiet * MS_PER_S);
    const lists = await Promise.all(kinds.map(async (kind) => this.#list(kind)));
    for (const { items } of lists) for (const item of items) this.#learn(item);
    if (kinds.length === 0) return {};
    return { objects: Object.fromEntries(lists.map(({ resource, items }) => [resource, this.#tree(resource, items)])) };
  }

  /** Names may hold the namespace's, which the recordings mask. */
  #learn(object: unknown): void {
    if (!isObject(object) || !isObject(object['metadata'])) return;
    const name = String(object['metadata']['name']).replaceAll(this.#world.namespace, '{{ns}}');
    this.#normaliser.learn({ ...object, metadata: { ...object['metadata'], name } });
  }

  async #holds({ path, at = '', equals, exists, status }: Condition): Promise<boolean> {
    const answer = await this.#send({ method: 'GET', path });
    if (status !== undefined) return answer.status === status;
    const value = readPointer(answer.body, at);
    return exists === undefined ? JSON.stringify(value) === JSON.stringify(equals) : (value !== undefined) === exists;
  }

  async #list(name: string): Promise<{ resource: string; items: KubeObject[] }> {
    const [plural = '', version = '', group = ''] = name.split('/').toReversed();
    const kind = kindOf(group, version, plural);
    const { items } = await this.#world.api.client.list(kind, { namespace: this.#world.namespace });
    return { resource: resourceOf(kind), items };
  }

  #tree(resource: string, items: readonly KubeObject[]): unknown {
    if (resource === resourceOf(Event)) return this.#events(items as Event[]);
    const tree: Record<string, unknown> = {};
    for (const item of items) {
      const object = prepare(item) as KubeObject;
      tree[String(this.#normaliser.normalise(object.metadata.name))] = this.#normaliser.normalise(object);
    }
    return tree;
  }

  #events(events: readonly Event[]): unknown {
    const tree: Record<string, string[]> = {};
    for (const { involvedObject, type, reason, message } of events) {
      if (!involvedObject.apiVersion?.includes('knative.dev/')) continue;
      const key = String(this.#normaliser.normalise(`${involvedObject.kind} ${involvedObject.name} ${type} ${reason}`));
      const text = String(this.#normaliser.normalise(message));
      tree[key] = [...new Set([...(tree[key] ?? []), text])].sort();
    }
    return tree;
  }

  async #send(request: OracleRequest): Promise<{ status: number; body: unknown }> {
    try {
      const body = await this.#world.api.transport.request(apiRequestOf(request));
      return { status: request.method === 'POST' ? 201 : 200, body };
    } catch (error) {
      if (error instanceof StatusError) return { status: error.code, body: error.status };
      throw error;
    }
  }
}

/** `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE`, as a request of the client's. */
function apiRequestOf({ method, path, headers = {}, body }: OracleRequest): ApiRequest {
  const url = new URL(path, 'http://x');
  const parts = url.pathname.split('/').slice(1);
  const [group = '', version = ''] = parts[0] === 'api' ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [plural = '', name, subresource] = namespace === undefined ? rest : rest.slice(2);
  const target = { kind: kindOf(group, version, plural), namespace, name, subresource };
  switch (method) {
    case 'GET':
      return { verb: 'get', ...target };
    case 'POST':
      return { verb: 'create', ...target, body };
    case 'PUT':
      return { verb: 'update', ...target, body };
    case 'PATCH':
      return { verb: 'patch', ...target, patchType: PATCHES[headers['content-type'] ?? ''] ?? 'merge', body };
    case 'DELETE': {
      const propagationPolicy = (url.searchParams.get('propagationPolicy') ?? undefined) as 'Orphan' | undefined;
      return { verb: 'delete', ...target, options: { propagationPolicy } };
    }
    default:
      throw new Error(`no such method: ${method}`);
  }
}

function kindOf(group: string, version: string, plural: string): Kind {
  const kind = KINDS.find((one) => one.group === group && one.version === version && one.plural === plural);
  if (!kind) throw new Error(`no such resource: ${apiVersionOf({ group, version })} ${plural}`);
  return kind;
}

/** A JSON pointer; a segment `[key=value]` picks the entry of a list. */
function readPointer(root: unknown, pointer: string): unknown {
  let value: unknown = root;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    const [, key, wanted] = /^\[(.+?)=(.*)\]$/.exec(part) ?? [];
    if (key !== undefined) {
      value = Array.isArray(value) ? value.find((one) => isObject(one) && String(one[key]) === wanted) : undefined;
    } else value = isObject(value) || Array.isArray(value) ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value;
}

const REWRITTEN = new Set(['Deployment', 'ReplicaSet', 'ServerlessService', 'PodAutoscaler', 'Metric', 'Ingress']);
const HASHES = new Set(['pod-template-hash', 'serving.knative.dev/deployment-hash']);
const SUFFIX = '[bcdfghjklmnpqrstvwxz2456789]';
const POD_NAME = new RegExp(`(-deployment)-${SUFFIX}{6,10}(-${SUFFIX}{5})?\\b`, 'g');

/** What the recordings mask beyond identities and times: hashes, names of pods, how often a child was rewritten. */
function prepare(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (HASHES.has(key)) return '<hash>';
    return value.replaceAll(POD_NAME, (_, stem: string, pod?: string) => `${stem}-<hash>${pod ? '-<random>' : ''}`);
  }
  if (Array.isArray(value)) {
    const list = value.map((entry: unknown) => prepare(entry));
    return key === 'conditions' ? byUpdate(list) : list;
  }
  if (!isObject(value)) return value;
  const { metadata, status, kind } = value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, prepare(entry, name)]));
  const isCurrent = isObject(metadata) && isObject(status) && metadata['generation'] === status['observedGeneration'];
  if (REWRITTEN.has(String(kind)) && isCurrent && isObject(copy['status'])) {
    copy['status'] = { ...copy['status'], observedGeneration: '<generation>' };
  }
  return copy;
}

/** The conditions of a Deployment come in the order of their last change. */
function byUpdate(list: unknown[]): unknown[] {
  const isDeployment = list.some((entry) => isObject(entry) && 'lastUpdateTime' in entry);
  const typeOf = (entry: unknown) => (isObject(entry) ? String(entry['type']) : '');
  return isDeployment ? list.toSorted((a, b) => (typeOf(a) < typeOf(b) ? -1 : 1)) : list;
}
