/**
 * The webhooks there are, in the order in which they are asked: configurations by name, webhooks as they stand in
 * them. Kept from the store's changes, so that a change counts from the next request on.
 */
import { MutatingWebhookConfiguration } from '#kube/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { type KubeObject, nameOf } from '#kube/object.ts';
import type { Store, Subscription } from '#store/store.ts';
import { listOf } from '#apiserver/lists.ts';
import { type Hook, hookOf, type HookType } from '#apiserver/webhooks/hook.ts';

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type AnyWebhook = NonNullable<Configuration['webhooks']>[number];

/** True for a configuration whose work the platform does itself. */
export type IsInside = (configuration: KubeObject) => boolean;

export class HookIndex implements Disposable {
  readonly #mutating: FollowedHooks;
  readonly #validating: FollowedHooks;

  constructor(store: Store, isInside: IsInside) {
    this.#mutating = new FollowedHooks(store, isInside, 'mutating');
    this.#validating = new FollowedHooks(store, isInside, 'validating');
  }

  of(type: HookType): readonly Hook[] {
    return type === 'mutating' ? this.#mutating.hooks : this.#validating.hooks;
  }

  [Symbol.dispose](): void {
    this.#mutating[Symbol.dispose]();
    this.#validating[Symbol.dispose]();
  }
}

const KINDS: Readonly<Record<HookType, Kind>> = {
  mutating: MutatingWebhookConfiguration,
  validating: ValidatingWebhookConfiguration,
};

class FollowedHooks implements Disposable {
  hooks: readonly Hook[] = [];
  readonly #byConfiguration = new Map<string, readonly Hook[]>();
  readonly #subscription: Subscription;
  readonly #isInside: IsInside;
  readonly #type: HookType;

  constructor(store: Store, isInside: IsInside, type: HookType) {
    this.#isInside = isInside;
    this.#type = type;
    const resource = resourceOf(KINDS[type]);
    const { objects, revision } = store.list(resource, {});
    for (const object of objects) this.#put(object);
    this.#sort();
    this.#subscription = store.watch(resource, revision, ({ type: change, object }) => {
      if (change === 'deleted') this.#byConfiguration.delete(nameOf(object));
      else this.#put(object);
      this.#sort();
    });
  }

  [Symbol.dispose](): void {
    this.#subscription.close();
  }

  #put(object: KubeObject): void {
    const { webhooks } = object as Configuration;
    const called = this.#isInside(object) ? [] : listOf<AnyWebhook>(webhooks);
    const configuration = nameOf(object);
    const hooks = called.map((webhook) => hookOf({ type: this.#type, configuration, webhook }));
    this.#byConfiguration.set(configuration, hooks);
  }

  #sort(): void {
    const names = [...this.#byConfiguration.keys()].sort();
    this.hooks = names.flatMap((name) => this.#byConfiguration.get(name) ?? []);
  }
}
