/** One request as webhooks see it: whether one is to be asked, and what it answers. */
import { uuid } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { type KubeObject, labelsOf, nameOf } from '#kube/object.ts';
import { forbidden, notFound } from '#kube/status.ts';
import type { Labels } from '#kube/selectors.ts';
import type { Store } from '#store/store.ts';
import type { AdmissionRequest } from '#apiserver/admission/chain.ts';
import { present, type Registry, type ServedKind } from '#apiserver/registry.ts';
import { meetsConditions } from '#apiserver/webhooks/conditions.ts';
import { dryRunUnsupported } from '#apiserver/webhooks/failures.ts';
import type { Hook } from '#apiserver/webhooks/hook.ts';
import {
  isEverything,
  type Matched,
  matchedResource,
  matchesEither,
  type Operation,
  type ResourceName,
} from '#apiserver/webhooks/match.ts';
import { type ReviewContent, requestOf, type ReviewedResource, reviewOf } from '#apiserver/webhooks/review.ts';
import { Misbehaviour, parseVerdict, type Verdict } from '#apiserver/webhooks/verdict.ts';
import type { WebhookClient } from '#apiserver/webhooks/webhook-client.ts';

export interface ReviewerParts {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly client: WebhookClient;
}

/** A webhook that is to be asked, and in which version it wants to see the object. */
export interface Invocation {
  readonly hook: Hook;
  readonly served: ServedKind;
}

export class Reviewer {
  readonly request: AdmissionRequest;
  readonly #parts: ReviewerParts;

  constructor(parts: ReviewerParts, request: AdmissionRequest) {
    this.#parts = parts;
    this.request = request;
  }

  /** As webhooks see it. */
  get operation(): Operation {
    const { view, operation } = this.request;
    return view?.operation ?? operation;
  }

  /** Undefined when the webhook does not want to see the request as it stands now. */
  invocationOf(hook: Hook): Invocation | undefined {
    const matched = this.#matched();
    // The namespace comes after the rules: what a webhook does not look at must not fail because there is none.
    if (!matchesEither(hook.objectSelector, ...this.#labels())) return undefined;
    const resource = matchedResource(hook, matched, () => this.#equivalents());
    if (!resource || !this.#isInNamespace(hook, matched)) return undefined;
    const { group, version, resource: plural } = resource;
    const isAsSent = resource === matched.resource;
    const served = isAsSent ? this.request.served : this.#parts.registry.find(group, version, plural);
    return served && this.#meets(hook, served) ? { hook, served } : undefined;
  }

  /** Throws CallFailure or Misbehaviour when there is no usable answer, and what else refuses the request. */
  async ask({ hook, served }: Invocation): Promise<Verdict> {
    const { request } = this;
    if (request.isDryRun && !hook.allowsDryRun) throw dryRunUnsupported(hook.name);
    const version = hook.reviewVersion;
    if (!version) throw new Misbehaviour(NO_VERSION);
    const uid = uuid(this.#parts.clock);
    const body = reviewOf(this.#content(served, { uid, version }));
    const { clientConfig, timeoutSeconds } = hook;
    const answer = await this.#parts.client.call({ clientConfig, timeoutSeconds, body }, request.signal);
    const verdict = parseVerdict(answer, { uid, type: hook.type, version });
    for (const [key, value] of Object.entries(verdict.auditAnnotations)) request.annotate(`${hook.name}/${key}`, value);
    for (const warning of verdict.warnings) request.warn(warning);
    return verdict;
  }

  /** What a webhook sees of the object: in a version of its own, or through a subresource with a kind of its own. */
  shown(served: ServedKind, object: KubeObject): KubeObject {
    const { view } = this.request;
    return view ? view.show(object) : present(served, object);
  }

  /** A condition that fails counts as the webhook's policy says. */
  #meets({ conditions, failsOpen }: Hook, served: ServedKind): boolean {
    if (conditions.length === 0) return true;
    const verdict = meetsConditions(conditions, requestOf(this.#content(served, { uid: '', version: 'v1' })));
    if (typeof verdict === 'boolean') return verdict;
    if (failsOpen) return false;
    const { group, resource: plural } = resourceNameOf(this.request.served);
    throw forbidden({ group, plural }, this.request.name ?? '', verdict);
  }

  #content(served: ServedKind, { uid, version }: Pick<ReviewContent, 'uid' | 'version'>): ReviewContent {
    const { request } = this;
    const { operation, subresource, namespace } = this.#matched();
    const { name = '', user, isDryRun, options, object, old } = request;
    const isDeletion = operation === 'DELETE';
    return {
      uid,
      version,
      shown: this.#reviewed(served),
      requested: this.#reviewed(request.served),
      subresource,
      namespace,
      name,
      operation,
      user,
      object: isDeletion ? undefined : this.shown(served, object),
      oldObject: old && operation !== 'CREATE' ? this.shown(served, old) : undefined,
      isDryRun,
      options,
    };
  }

  #reviewed(served: ServedKind): ReviewedResource {
    const { group, version, kind } = this.request.view?.kind ?? served.kind;
    return { kind: { group, version, kind }, resource: resourceNameOf(served) };
  }

  #matched(): Matched {
    const { served, view, subresource = '', namespace = '', object, name } = this.request;
    const isNamespace = served.resource === 'namespaces';
    return {
      operation: this.operation,
      resource: resourceNameOf(served),
      subresource: view?.subresource ?? subresource,
      namespace: isNamespace ? (name ?? nameOf(object)) : namespace,
    };
  }

  #equivalents(): ResourceName[] {
    const { served } = this.request;
    const others = this.#parts.registry.list().filter((one) => one.resource === served.resource && one !== served);
    return others.map(resourceNameOf);
  }

  #labels(): (Labels | undefined)[] {
    const { object, old, operation, view } = this.request;
    // Options of a connection have none.
    if (view?.operation === 'CONNECT') return [];
    const seen = (one: KubeObject | undefined) => one && labelsOf(view ? view.show(one) : one);
    return operation === 'DELETE' ? [seen(old)] : [seen(object), seen(old)];
  }

  /** Objects of no namespace are in all. */
  #isInNamespace({ namespaceSelector }: Hook, { namespace, subresource, operation }: Matched): boolean {
    const isNamespace = this.request.served.resource === 'namespaces';
    if ((namespace === '' && !isNamespace) || isEverything(namespaceSelector)) return true;
    if (isNamespace && subresource === '' && operation !== 'DELETE') {
      return matchesEither(namespaceSelector, labelsOf(this.request.object));
    }
    const found = this.#parts.store.get('namespaces', { name: namespace })?.object;
    if (!found) throw notFound(Namespace, namespace);
    return matchesEither(namespaceSelector, labelsOf(found));
  }
}

const NO_VERSION =
  'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)';

function resourceNameOf({ kind, virtual }: ServedKind): ResourceName {
  const { group, version, plural } = virtual?.under?.kind ?? kind;
  return { group, version, resource: plural };
}
