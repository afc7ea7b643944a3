/**
 * Replays the writes of a recorded case on one object at a time with nothing but the pure parts of the object model:
 * decode, patch, apply, ownership. There is no validation, no identity and no version; defaults are those that the
 * cases show. Steps whose answer needs more are for the tests to leave out.
 */
import { clone, isObject } from '#base/json.ts';
import { applyPatch } from '#kube/apply/apply-patch.ts';
import { type FieldSet, setOf } from '#kube/apply/field-set.ts';
import { trackUpdate } from '#kube/apply/track-update.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { fillDefaults } from '#kube/defaults.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';
import { pruneUnknown } from '#kube/prune.ts';
import { StatusError } from '#kube/status.ts';
import type { RecordedStep } from '#testing/recorded-http.ts';

type Json = Record<string, unknown>;

export interface ReplayOptions {
  readonly kinds: readonly Kind[];
  /** Fills in what the real server fills in. */
  readonly setDefaults?: (object: Json) => void;
}

interface Target {
  readonly kind: Kind;
  readonly name: string;
  readonly subresource: string;
  readonly query: URLSearchParams;
}

/** Any instant; every step happens a minute after the one before. */
const START_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 60_000;

export class PureReplay {
  readonly #options: ReplayOptions;
  readonly #objects = new Map<string, KubeObject>();
  #nowMs = START_MS;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** The object or Status that the step is answered with; undefined for a request that is no write of one object. */
  answer(step: RecordedStep): unknown {
    const target = this.#targetOf(step);
    if (target === undefined || step.method === 'DELETE') return undefined;
    this.#nowMs += STEP_MS;
    const key = `${target.kind.plural}/${target.name}`;
    if (step.method === 'GET') return this.#objects.get(key);
    try {
      const object = this.#write(step, target, this.#objects.get(key));
      this.#objects.set(key, object);
      return object;
    } catch (error) {
      if (error instanceof StatusError) return error.status;
      throw error;
    }
  }

  #targetOf({ path, body }: RecordedStep): Target | undefined {
    const url = new URL(path, 'http://server');
    const [plural, name, subresource = ''] = url.pathname.replace(/^.*\/namespaces\/[^/]+\//, '').split('/');
    const kind = this.#options.kinds.find((candidate) => candidate.plural === plural);
    const given = (body as { metadata?: { name?: string } } | undefined)?.metadata?.name;
    return kind && { kind, name: name ?? given ?? '', subresource, query: url.searchParams };
  }

  #write(step: RecordedStep, target: Target, live: KubeObject | undefined): KubeObject {
    const type = step.headers?.['Content-Type'] ?? '';
    const body = step.body ?? JSON.parse(step.bodyText ?? 'null');
    if (type === 'application/apply-patch+yaml') return this.#apply(body as KubeObject, target, live);
    const patched = patch(type, target.kind, live, body);
    const after = this.#decode(target.kind, patched as Json);
    const manager = managerOf(step, target);
    const managedFields = trackUpdate({ ...this.#context(target), before: live, after, manager });
    return withManagedFields(after, managedFields);
  }

  #apply(applied: KubeObject, target: Target, live: KubeObject | undefined): KubeObject {
    const manager = target.query.get('fieldManager') ?? '';
    const force = target.query.get('force') === 'true';
    const merged = applyPatch({ ...this.#context(target), live, applied, manager, force });
    const { managedFields } = merged.metadata;
    return withManagedFields(this.#decode(target.kind, merged as unknown as Json), managedFields);
  }

  #context({ kind, subresource }: Target) {
    const resetFields: FieldSet = subresource === '' ? setOf(['f:status']) : setOf(['f:spec']);
    return { kind, subresource, nowMs: this.#nowMs, resetFields: kind.isCustom ? resetFields : setOf() };
  }

  #decode(kind: Kind, sent: Json): KubeObject {
    const { value } = pruneUnknown(kind, { ...sent, apiVersion: apiVersionOf(kind), kind: kind.kind });
    if (kind.isCustom) fillDefaults(kind.schema, value);
    this.#options.setDefaults?.(value);
    return clone(kind.isCustom ? value : canonicalValue(kind.schema, value)) as KubeObject;
  }
}

function patch(type: string, kind: Kind, live: KubeObject | undefined, body: unknown): unknown {
  const document = live as unknown as Json;
  if (type === 'application/json-patch+json') return applyJsonPatch(document, body);
  if (type === 'application/merge-patch+json') return applyMergePatch(document, body);
  if (type === 'application/strategic-merge-patch+json') return applyStrategicMerge(kind.schema, document, body);
  return body;
}

function managerOf(step: RecordedStep, { query }: Target): string {
  const agent = step.headers?.['User-Agent'] ?? 'oracle-http';
  return query.get('fieldManager') ?? agent.split('/')[0] ?? '';
}

function withManagedFields(object: KubeObject, managedFields: KubeObject['metadata']['managedFields']): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const kept = { ...metadata, uid: 'known', ...(managedFields ? { managedFields } : {}) };
  return { ...object, metadata: kept };
}

/** What the server alone knows; recorded answers and ours are compared without it. */
const SERVER_MEMBERS = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'namespace'];

/** An answer as the pure parts can know it. */
export function comparable(answer: unknown, { managedFields }: { managedFields: boolean }): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(answer ?? null));
  if (!isObject(copy) || !isObject(copy['metadata'])) return copy;
  const { metadata } = copy;
  for (const name of SERVER_MEMBERS) delete metadata[name];
  if (!managedFields) delete metadata['managedFields'];
  const entries = metadata['managedFields'];
  if (Array.isArray(entries)) entries.sort((left: Json, right: Json) => (orderOf(left) < orderOf(right) ? -1 : 1));
  return JSON.parse(JSON.stringify(copy).replaceAll(/"time":"[^"]*"/g, '"time":"<time>"'));
}

/** The recordings have entries in this order, as their times are within a second. */
function orderOf({ operation, manager, subresource = '' }: Json): string {
  return [operation, manager, subresource].join(' ');
}
