/**
 * The API, without a wire: verbs over the store for callers whose identity is known. `in-process.ts` and `http/`
 * stand on it.
 */
import { unreachable } from '#base/assert.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Kind } from '#kube/kind.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import type { ApiRequest, ApiResponse, Subscription, Target as ClientTarget, WatchRequest } from '#client/transport.ts';
import type { Store } from '#store/store.ts';
import { AdmissionChain, type AdmissionHook } from '#apiserver/admission/chain.ts';
import { namespaceProtection } from '#apiserver/admission/namespaces.ts';
import { podAdmission } from '#apiserver/admission/pods.ts';
import type { Api, Target } from '#apiserver/api.ts';
import { followDefinitions } from '#apiserver/custom/custom-kinds.ts';
import { asStatusError } from '#apiserver/failures.ts';
import { QuotaLedger } from '#apiserver/quota/quota-ledger.ts';
import { createRights, type Rights } from '#apiserver/rbac/rights.ts';
import { type KindView, partOf, Registry } from '#apiserver/registry.ts';
import { builtinReviews } from '#apiserver/reviews/all.ts';
import { strategies } from '#apiserver/strategies/all.ts';
import { eventView } from '#apiserver/strategies/events.ts';
import { horizontalPodAutoscalerView } from '#apiserver/strategies/horizontal-pod-autoscaler/view-v1.ts';
import { ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import { tokenRequests } from '#apiserver/tokens/token-request.ts';
import { tokenReviews } from '#apiserver/tokens/token-review.ts';
import type { Caller } from '#apiserver/user.ts';
import type { VirtualKind } from '#apiserver/virtual-kind.ts';
import { deleteCollection } from '#apiserver/verbs/delete-collection.ts';
import { deleteObject } from '#apiserver/verbs/delete.ts';
import { getObject } from '#apiserver/verbs/get.ts';
import { listObjects } from '#apiserver/verbs/list.ts';
import { patchObject } from '#apiserver/verbs/patch.ts';
import { post } from '#apiserver/verbs/post.ts';
import { updateObject, type Written } from '#apiserver/verbs/update.ts';
import { watchObjects } from '#apiserver/verbs/watch.ts';
import type { IsInside } from '#apiserver/webhooks/hook-index.ts';
import { WebhookAdmission } from '#apiserver/webhooks/webhook-admission.ts';

/** Kinds that are two names of one. */
const builtinViews: readonly KindView[] = [eventView, horizontalPodAutoscalerView];

export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Kinds to serve; built-in ones get their own strategies. */
  readonly kinds: readonly Kind[];
  /** Kinds that show others' objects in another version. */
  readonly views?: readonly KindView[];
  /** Kinds without storage, beside the reviews that the server answers itself. */
  readonly virtualKinds?: readonly VirtualKind[];
  readonly admission?: readonly AdmissionHook[];
  /** Addresses of Services; a private range when absent. */
  readonly serviceCidr?: string;
  /** PEM of the key that signs tokens of service accounts; one of its own, for as long as it lives, when absent. */
  readonly serviceAccountKey?: string;
  /** Whether new pods get their service account's token mounted. */
  readonly podTokens?: 'projected' | 'none';
  /** Configurations of webhooks whose work is done in this process; none when absent. */
  readonly isInside?: IsInside;
  readonly metrics?: MetricRegistry;
}

const DEFAULT_SERVICE_CIDR = '10.96.0.0/16';

export class ApiServer implements Api, Disposable {
  readonly store: Store;
  readonly registry = new Registry();
  readonly admission: AdmissionChain;
  readonly quotas: QuotaLedger;
  readonly tokens: ServiceAccountTokens;
  readonly rights: Rights;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly #webhooks: WebhookAdmission;

  constructor(options: ApiServerOptions) {
    this.store = options.store;
    this.clock = options.clock;
    this.logger = options.logger;
    this.quotas = new QuotaLedger(options.store, options.clock);
    this.tokens = new ServiceAccountTokens({ ...options, key: options.serviceAccountKey });
    this.#webhooks = new WebhookAdmission({ ...options, registry: this.registry });
    this.admission = new AdmissionChain([...builtinAdmission(options), ...(options.admission ?? [])], this.#webhooks);
    const { store, clock, serviceCidr = DEFAULT_SERVICE_CIDR } = options;
    this.rights = createRights(store);
    const strategyFor = strategies({ store, clock, rights: this.rights, serviceCidr });
    const views = [...builtinViews, ...(options.views ?? [])];
    const shown = new Set(views.map(({ kind }) => kind));
    for (const kind of options.kinds) if (!shown.has(kind)) this.registry.add(kind, strategyFor(kind));
    const tokenKinds = [tokenRequests({ store, clock, tokens: this.tokens }), tokenReviews(this.tokens)];
    for (const virtual of [
      ...builtinReviews({ clock, rights: this.rights }),
      ...tokenKinds,
      ...(options.virtualKinds ?? []),
    ]) {
      if (!virtual.under || options.kinds.includes(virtual.under.kind)) this.registry.addVirtual(virtual);
    }
    for (const view of views) if (options.kinds.includes(view.storedAs)) this.registry.addView(view);
    if (options.kinds.includes(CustomResourceDefinition)) followDefinitions(store, this.registry);
  }

  /** Carries out one request; every failure is a StatusError. */
  async request(request: ApiRequest, caller: Caller): Promise<ApiResponse> {
    try {
      return await this.#dispatch(request, caller);
    } catch (error) {
      throw asStatusError(error, this.logger);
    }
  }

  /** Throws a StatusError when the watch cannot begin. */
  watch(request: WatchRequest, deliver: (event: WatchEvent<KubeObject>) => void): Subscription {
    return watchObjects(this, { target: this.#target(request), options: request.options }, deliver);
  }

  /** Lets go of the connections to webhooks, and of the store. */
  [Symbol.dispose](): void {
    this.rights[Symbol.dispose]();
    this.#webhooks[Symbol.dispose]();
  }

  #dispatch(request: ApiRequest, caller: Caller): Promise<ApiResponse> | ApiResponse {
    const target = this.#target(request);
    switch (request.verb) {
      case 'get':
        return getObject(this, target);
      case 'list':
        return listObjects(this, target, request.options ?? {});
      case 'create':
        return post(this, { target, body: { value: request.body }, options: request.options ?? {} }, caller);
      case 'update':
        return written(
          updateObject(this, { target, body: { value: request.body }, options: request.options ?? {} }, caller),
        );
      case 'patch': {
        const { patchType, body, options = {} } = request;
        return written(patchObject(this, { target, patchType, body, options }, caller));
      }
      case 'delete':
        return deleteObject(this, { target, options: request.options ?? {} }, caller);
      case 'deletecollection': {
        const { options = {}, list = {} } = request;
        return deleteCollection(this, { target, options, list }, caller);
      }
      default:
        return unreachable(request);
    }
  }

  #target({ kind, namespace, name, subresource }: ClientTarget): Target {
    const served = partOf(this.registry.of(kind), subresource);
    return { served, namespace: kind.namespaced ? namespace : undefined, name: name ?? '', subresource };
  }
}

async function written(writing: Promise<Written>): Promise<KubeObject> {
  return (await writing).object;
}

function builtinAdmission({ store, clock, kinds, podTokens = 'none' }: ApiServerOptions): AdmissionHook[] {
  // A server without service accounts, as in some tests, has nothing to give to pods.
  const pods = kinds.some(({ plural }) => plural === 'serviceaccounts')
    ? [podAdmission({ store, clock, tokens: podTokens })]
    : [];
  return [namespaceProtection, ...pods];
}
