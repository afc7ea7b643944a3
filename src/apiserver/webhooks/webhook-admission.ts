/**
 * Admission webhooks as a part of the road of a write. Without configurations it answers that there is nothing to do,
 * at the price of looking at the length of a list.
 *
 * Webhooks are somebody else's programs; what they may cost is bounded in `webhook-client.ts` and `verdict.ts`.
 */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import type { Store } from '#store/store.ts';
import type { AdmissionRequest } from '#apiserver/admission/chain.ts';
import type { Registry } from '#apiserver/registry.ts';
import { HookCalls } from '#apiserver/webhooks/hook-calls.ts';
import { HookIndex, type IsInside } from '#apiserver/webhooks/hook-index.ts';
import { type Invocation, Reviewer, type ReviewerParts } from '#apiserver/webhooks/invocation.ts';
import { Mutation } from '#apiserver/webhooks/mutating.ts';
import { WebhookClient } from '#apiserver/webhooks/webhook-client.ts';

const GROUP = 'admissionregistration.k8s.io';

export interface WebhookAdmissionOptions {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: MetricRegistry | undefined;
  readonly isInside?: IsInside | undefined;
}

export class WebhookAdmission implements Disposable {
  readonly #index: HookIndex;
  readonly #calls: HookCalls;
  readonly #parts: ReviewerParts & { readonly client: WebhookClient };

  constructor(options: WebhookAdmissionOptions) {
    const { store, registry, clock, isInside = () => false } = options;
    this.#index = new HookIndex(store, isInside);
    this.#calls = new HookCalls({ ...options, metrics: options.metrics ?? new MetricRegistry() });
    this.#parts = { store, registry, clock, client: new WebhookClient({ store, clock }) };
  }

  /** Undefined when no webhook has anything to do with the request. */
  mutationOf(request: AdmissionRequest): Mutation | undefined {
    const hooks = this.#index.of('mutating');
    if (hooks.length === 0 || isExempt(request)) return undefined;
    return new Mutation(hooks, this.#calls, new Reviewer(this.#parts, request));
  }

  /** Asks all at once, and throws what the first of them in order refuses with. */
  async validate(request: AdmissionRequest): Promise<void> {
    const hooks = this.#index.of('validating');
    if (hooks.length === 0 || isExempt(request)) return;
    const reviewer = new Reviewer(this.#parts, request);
    const invocations = hooks.flatMap((hook) => reviewer.invocationOf(hook) ?? []);
    const answers = await Promise.allSettled(
      invocations.map((invocation, position) => this.#validateBy(reviewer, invocation, position)),
    );
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  }

  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
    this.#parts.client[Symbol.dispose]();
  }

  async #validateBy(reviewer: Reviewer, invocation: Invocation, position: number): Promise<void> {
    if (await this.#calls.call(reviewer, invocation)) return;
    const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${position}`;
    reviewer.request.annotate(key, invocation.hook.name);
  }
}

/** A webhook cannot stand in the way of its own removal, nor the platform's own first objects wait for one. */
function isExempt({ kind, isBootstrap }: AdmissionRequest): boolean {
  return kind.group === GROUP || isBootstrap;
}
