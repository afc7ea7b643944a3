/**
 * Work that several callers want at the same time is done once: whoever comes later joins. It is cancelled when the
 * last of them has lost interest, not before.
 */
import { untilAborted } from '#base/abort.ts';

export interface Interest<P> {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: P) => void) | undefined;
}

/** What the work itself gets: it ends with the last interest and is heard by all. */
export interface Shared<P> {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: P) => void;
}

interface Running<T, P> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly interests: Set<Interest<P>>;
}

export class SharedWork<T, P = never> {
  readonly #running = new Map<string, Running<T, P>>();

  get size(): number {
    return this.#running.size;
  }

  /** Follows the work under `key`, starting it if nobody has. Rejects at once when `interest.signal` aborts. */
  async run(key: string, interest: Interest<P>, work: (shared: Shared<P>) => Promise<T>): Promise<T> {
    interest.signal.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.interests.add(interest);
    try {
      return await untilAborted(running.result, interest.signal);
    } finally {
      running.interests.delete(interest);
      if (running.interests.size === 0) {
        // A late caller must not join what is being cancelled.
        if (this.#running.get(key) === running) this.#running.delete(key);
        running.controller.abort(interest.signal.reason);
      }
    }
  }

  #start(key: string, work: (shared: Shared<P>) => Promise<T>): Running<T, P> {
    const controller = new AbortController();
    const interests = new Set<Interest<P>>();
    const onProgress = (progress: P) => {
      for (const interest of interests) interest.onProgress?.(progress);
    };
    const result = work({ signal: controller.signal, onProgress });
    const running: Running<T, P> = { result, controller, interests };
    this.#running.set(key, running);
    const forget = () => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    result.then(forget, forget);
    return running;
  }
}
