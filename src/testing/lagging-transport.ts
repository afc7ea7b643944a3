/**
 * A network between caches and the API server: what a watch tells arrives late, each kind by a time of its own, so that
 * words about one kind overtake those about another. Order within a kind stays. Requests are answered at once.
 */
import type { Clock } from '#base/clock.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Subscription,
  subscriptionOf,
  type Transport,
  type WatchRequest,
  type WatchSink,
} from '#client/transport.ts';

export class LaggingTransport implements Transport {
  readonly #inner: Transport;
  readonly #clock: Clock;
  readonly #lagMs: (plural: string) => number;

  constructor(inner: Transport, clock: Clock, lagMs: (plural: string) => number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    return this.#inner.request(request, signal);
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    const lagMs = this.#lagMs(request.kind.plural);
    let isOpen = true;
    const later = (tell: () => void) => void this.#clock.after(lagMs, () => isOpen && tell());
    const watch = this.#inner.watch(request, {
      onEvent: (event) => later(() => sink.onEvent(event)),
      onEnd: (error) => later(() => sink.onEnd(error)),
    });
    return subscriptionOf(() => {
      isOpen = false;
      watch.close();
    });
  }
}
