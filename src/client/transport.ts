/**
 * The contract between whoever uses the API and whatever carries it there.
 *
 * A transport turns every failure into a `StatusError`. Over a network an error may leave it open whether the request
 * was carried out; callers converge by looking again, never by assuming.
 */
import type { Kind } from '#kube/kind.ts';
import type { KubeObject, ObjectList, WatchEvent } from '#kube/object.ts';
import type { Status, StatusError } from '#kube/status.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export type PropagationPolicy = 'Foreground' | 'Background' | 'Orphan';

/**
 * `derived` marks what a controller writes to an object that it owns and can rebuild: it is acknowledged from memory
 * (see `#store`). Only transports inside the platform honour it; everywhere else a write is durable.
 */
export type Durability = 'durable' | 'derived';

export interface Target {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface ListOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

export interface WriteOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
  readonly durability?: Durability | undefined;
}

export interface PatchOptions extends WriteOptions {
  /** Server-side apply only: take over fields that others own. */
  readonly force?: boolean | undefined;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: PropagationPolicy | undefined;
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined;
  readonly dryRun?: boolean | undefined;
  readonly durability?: Durability | undefined;
}

export type ApiRequest =
  | ({ readonly verb: 'get' } & Target)
  | ({ readonly verb: 'list'; readonly options?: ListOptions | undefined } & Target)
  | ({ readonly verb: 'create'; readonly body: unknown; readonly options?: WriteOptions | undefined } & Target)
  | ({ readonly verb: 'update'; readonly body: unknown; readonly options?: WriteOptions | undefined } & Target)
  | ({
      readonly verb: 'patch';
      readonly patchType: PatchType;
      readonly body: unknown;
      readonly options?: PatchOptions | undefined;
    } & Target)
  | ({ readonly verb: 'delete'; readonly options?: DeleteOptions | undefined } & Target)
  | ({
      readonly verb: 'deletecollection';
      readonly options?: DeleteOptions | undefined;
      readonly list?: ListOptions | undefined;
    } & Target);

export type ApiResponse = KubeObject | ObjectList<KubeObject> | Status;

export interface WatchRequest extends Target {
  readonly options: {
    readonly labelSelector?: string | undefined;
    readonly fieldSelector?: string | undefined;
    /** Events after this version; every object as ADDED first when it is absent or "0". */
    readonly resourceVersion?: string | undefined;
    readonly allowWatchBookmarks?: boolean | undefined;
  };
}

/** Receives one watch: events in order, then exactly one end. */
export interface WatchSink {
  onEvent(event: WatchEvent<KubeObject>): void;
  /** `error` is absent when the server ended the watch in peace; watch again from the last version seen. */
  onEnd(error?: StatusError): void;
}

export interface Subscription extends Disposable {
  /** Ends the watch; the sink hears nothing more. */
  close(): void;
}

export interface Transport {
  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse>;
  watch(request: WatchRequest, sink: WatchSink): Subscription;
}

export function subscriptionOf(close: () => void): Subscription {
  return { close, [Symbol.dispose]: close };
}
