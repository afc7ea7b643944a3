/** One registry client per way of reaching registries, so that connections and tokens are used again. */
import type { Clock } from '#base/clock.ts';
import type { RegistryClient } from '#runtime/image/registry/client.ts';
import { createRegistryClient, type RegistrySettings } from '#runtime/image/registry/settings.ts';

export class RegistryClients {
  readonly #clock: Clock;
  #current: { readonly key: string; readonly client: RegistryClient } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settings seldom change, so only the latest are kept. */
  get(settings: RegistrySettings): RegistryClient {
    const key = JSON.stringify(settings);
    if (this.#current?.key === key) return this.#current.client;
    this.#current = { key, client: createRegistryClient(settings, this.#clock) };
    return this.#current.client;
  }
}
