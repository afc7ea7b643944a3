/**
 * Typed verbs over a transport. Every method throws a `StatusError` when the server refuses.
 *
 *     const service = await client.get(Service, { namespace: 'default', name: 'hello' });
 *     await client.derived.patchStatus(Pod, ref, { phase: 'Running' });
 */
import type { Kind } from '#kube/kind.ts';
import type { KubeObject, ObjectList, ObjectRef, Stored } from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import type {
  ApiResponse,
  DeleteOptions,
  Durability,
  ListOptions,
  PatchOptions,
  PatchType,
  Subscription,
  Transport,
  WatchRequest,
  WatchSink,
  WriteOptions,
} from '#client/transport.ts';

/** How often `modify` tries again after a conflict before it gives up. */
const MAX_CONFLICT_RETRIES = 10;

export interface Scope {
  readonly namespace?: string | undefined;
}

/** What a patch changes: a merge or strategic patch as an object, a JSON patch as a list, an apply as the object. */
export interface PatchBody {
  readonly type: PatchType;
  readonly body: unknown;
  readonly subresource?: string | undefined;
}

export class Client {
  readonly #transport: Transport;
  readonly #durability: Durability;

  constructor(transport: Transport, durability: Durability = 'durable') {
    this.#transport = transport;
    this.#durability = durability;
  }

  /** The same client for what its caller owns and can rebuild: writes are acknowledged from memory at home. */
  get derived(): Client {
    return new Client(this.#transport, 'derived');
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, subresource?: string): Promise<Stored<T>> {
    return (await this.#transport.request({ verb: 'get', kind, ...ref, subresource })) as Stored<T>;
  }

  /** Like `get`, but undefined when there is no such object. */
  async find<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T> | undefined> {
    try {
      return await this.get(kind, ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(kind: Kind<T>, scope: Scope & ListOptions = {}): Promise<ObjectList<Stored<T>>> {
    const { namespace, ...options } = scope;
    return (await this.#transport.request({ verb: 'list', kind, namespace, options })) as ObjectList<Stored<T>>;
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    const { namespace, name } = object.metadata;
    const request = { verb: 'create', kind, namespace, name, body: object, options: this.#write(options) } as const;
    return (await this.#transport.request(request)) as Stored<T>;
  }

  /** POSTs to a subresource such as `binding` or `eviction`. */
  async createSubresource(
    kind: Kind,
    ref: ObjectRef,
    create: { subresource: string; body: unknown },
  ): Promise<ApiResponse> {
    return this.#transport.request({ verb: 'create', kind, ...ref, ...create, options: this.#write({}) });
  }

  /** PUTs to a subresource such as `finalize` or `scale`. */
  async updateSubresource(
    kind: Kind,
    ref: ObjectRef,
    update: { subresource: string; body: unknown },
  ): Promise<ApiResponse> {
    return this.#transport.request({ verb: 'update', kind, ...ref, ...update, options: this.#write({}) });
  }

  /** Replaces the object; its `metadata.resourceVersion`, when set, must be the stored one. */
  async update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    return this.#replace(kind, object, { options });
  }

  async updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    return this.#replace(kind, object, { options, subresource: 'status' });
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: PatchBody,
    options: PatchOptions = {},
  ): Promise<Stored<T>> {
    const { type: patchType, body, subresource } = patch;
    const write = { ...options, ...this.#write(options) };
    const request = { verb: 'patch', kind, ...ref, subresource, patchType, body, options: write } as const;
    return (await this.#transport.request(request)) as Stored<T>;
  }

  async delete(kind: Kind, ref: ObjectRef, options: DeleteOptions = {}): Promise<ApiResponse> {
    const durability = options.durability ?? this.#durability;
    return this.#transport.request({ verb: 'delete', kind, ...ref, options: { ...options, durability } });
  }

  /** Deletes the object if it is there; true when it was. */
  async remove(kind: Kind, ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    try {
      await this.delete(kind, ref, options);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /**
   * Reads, changes and writes back, again from the start when somebody else wrote in between. `change` answers the
   * new object, or undefined to leave it.
   */
  async modify<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    change: (object: Stored<T>) => T | undefined,
    subresource?: 'status',
  ): Promise<Stored<T>> {
    for (let attempt = 0; ; attempt += 1) {
      const current = await this.get(kind, ref);
      const changed = change(current);
      if (changed === undefined) return current;
      try {
        return await this.#replace(kind, changed, { options: {}, subresource });
      } catch (error) {
        if (!isConflict(error) || attempt >= MAX_CONFLICT_RETRIES) throw error;
      }
    }
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    return this.#transport.watch(request, sink);
  }

  async #replace<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    { options, subresource }: { options: WriteOptions; subresource?: string | undefined },
  ): Promise<Stored<T>> {
    const { namespace, name } = object.metadata;
    const request = {
      verb: 'update',
      kind,
      namespace,
      name,
      subresource,
      body: object,
      options: this.#write(options),
    } as const;
    return (await this.#transport.request(request)) as Stored<T>;
  }

  #write(options: WriteOptions): WriteOptions {
    return { ...options, durability: options.durability ?? this.#durability };
  }
}
