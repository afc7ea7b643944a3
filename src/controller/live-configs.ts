/**
 * What Knative's ConfigMaps say now: read when somebody asks, after a change once, and every part keeps what it said
 * before while its ConfigMap cannot be read.
 */
import { deepEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Cache, Change } from '#client/cache.ts';
import { type Subscription, subscriptionOf } from '#client/transport.ts';
import type { Source } from '#controller/controller.ts';
import type { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { nameOf, namespaceOf, type ObjectKey } from '#kube/object.ts';
import { isConfigMapName, type KnativeConfig, parseKnativeConfig, SYSTEM_NAMESPACE } from '#knative/config/all.ts';
import type { DomainOptions } from '#knative/config/domain.ts';
import type { ConfigMapName } from '#knative/config/examples.ts';

export type ConfigHandler = (changed: ConfigMapName) => void;

export interface LiveConfigs {
  readonly current: KnativeConfig;
  /** Calls `handler` whenever a ConfigMap's data changes; `current` says the new things by then. */
  subscribe(handler: ConfigHandler): Subscription;
}

export interface LiveConfigsOptions extends Partial<DomainOptions> {
  readonly cache: Cache<ConfigMap>;
  readonly logger: Logger;
}

/** Follows the ConfigMaps of a cache, which need not have its first list yet: until then they say nothing. */
export function followConfigs(options: LiveConfigsOptions): LiveConfigs & Disposable {
  return new Follower(options);
}

class Follower implements LiveConfigs, Disposable {
  readonly #options: LiveConfigsOptions;
  readonly #handlers = new Set<ConfigHandler>();
  readonly #following: Subscription;
  #read: KnativeConfig | undefined;
  #isStale = true;

  constructor(options: LiveConfigsOptions) {
    this.#options = options;
    this.#following = options.cache.subscribe((change) => this.#changed(change));
  }

  get current(): KnativeConfig {
    if (!this.#read || this.#isStale) this.#read = this.#parse();
    this.#isStale = false;
    return this.#read;
  }

  subscribe(handler: ConfigHandler): Subscription {
    this.#handlers.add(handler);
    return subscriptionOf(() => void this.#handlers.delete(handler));
  }

  [Symbol.dispose](): void {
    this.#following.close();
    this.#handlers.clear();
  }

  #parse(): KnativeConfig {
    const { cache, logger, clusterDomain, fallbackDomain } = this.#options;
    const onError = (name: ConfigMapName, error: Error) =>
      logger.error(`cannot read ${name}, keeping what it said`, { error });
    return parseKnativeConfig(cache.list(SYSTEM_NAMESPACE), {
      previous: this.#read,
      onError,
      ...(clusterDomain === undefined ? {} : { clusterDomain }),
      ...(fallbackDomain === undefined ? {} : { fallbackDomain }),
    });
  }

  #changed({ object, previous }: Change<ConfigMap>): void {
    const name = nameOf(object);
    if (namespaceOf(object) !== SYSTEM_NAMESPACE || !isConfigMapName(name)) return;
    if (previous && deepEqual(previous.data, object.data)) return;
    this.#isStale = true;
    for (const handler of this.#handlers) handler(name);
  }
}

/** Enqueues all of `keys` when one of the named ConfigMaps changes. */
export function onConfigChange(
  configs: LiveConfigs,
  names: readonly ConfigMapName[],
  keys: () => Iterable<ObjectKey>,
): Source {
  let subscription: Disposable | undefined;
  return {
    start(enqueue) {
      subscription = configs.subscribe((changed) => {
        if (names.includes(changed)) for (const key of keys()) enqueue(key);
      });
    },
    keys: () => [],
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}
