/**
 * The API for everything that lives in this process: no bytes, no copies. Objects that come out are the stored ones,
 * frozen; events of a watch arrive in the turn in which they are published, before the write that caused them is
 * acknowledged.
 */
import { serviceUnavailable, StatusError } from '#kube/status.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Subscription,
  subscriptionOf,
  type Transport,
  type WatchRequest,
  type WatchSink,
} from '#client/transport.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import type { Caller, User } from '#apiserver/user.ts';

export interface InProcessOptions {
  readonly user: User;
  /** Names the field manager, such as `route-controller`. */
  readonly userAgent: string;
  /** For the writes with which the platform itself begins. */
  readonly isBootstrap?: boolean;
  /** Receives the warnings that a client over HTTP would get as headers. */
  readonly onWarning?: (text: string) => void;
}

export class InProcessTransport implements Transport {
  readonly #api: ApiServer;
  readonly #caller: Caller;

  constructor(api: ApiServer, options: InProcessOptions) {
    this.#api = api;
    this.#caller = {
      user: options.user,
      userAgent: options.userAgent,
      isBootstrap: options.isBootstrap === true,
      warn: (text) => options.onWarning?.(text),
    };
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    signal?.throwIfAborted();
    return this.#api.request(request, this.#caller);
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    try {
      return this.#api.watch(request, (event) => sink.onEvent(event));
    } catch (error) {
      sink.onEnd(error instanceof StatusError ? error : serviceUnavailable(String(error)));
      return subscriptionOf(() => {});
    }
  }
}
