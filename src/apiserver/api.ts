/** The parts that the verbs work with, and what they are asked for. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { KubeObject, ObjectRef } from '#kube/object.ts';
import type { Store } from '#store/store.ts';
import type { AdmissionChain, AdmissionRequest, WebhookView } from '#apiserver/admission/chain.ts';
import type { QuotaLedger } from '#apiserver/quota/quota-ledger.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import type { Registry, ServedKind } from '#apiserver/registry.ts';
import type { WriteContext } from '#apiserver/strategy.ts';
import type { ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import type { Caller } from '#apiserver/user.ts';

export interface Api {
  readonly store: Store;
  readonly registry: Registry;
  readonly admission: AdmissionChain;
  readonly quotas: QuotaLedger;
  readonly tokens: ServiceAccountTokens;
  readonly rights: Rights;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a request is about. `name` is empty for collections and for creations that leave it to the body. */
export interface Target {
  readonly served: ServedKind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource?: string | undefined;
}

export function refOf({ namespace, name }: Target): ObjectRef {
  return namespace === undefined ? { name } : { namespace, name };
}

export function writeContext(api: Api, caller: Caller, isDryRun: boolean): WriteContext {
  return { clock: api.clock, user: caller.user, isDryRun, warn: (text) => caller.warn(text) };
}

export interface Admitted {
  readonly operation: AdmissionRequest['operation'];
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly isDryRun: boolean;
  readonly options: object | undefined;
  readonly view?: WebhookView | undefined;
}

/** For callers in this process, who wait for their answers. */
const NEVER = new AbortController().signal;

export function admissionRequest(target: Target, caller: Caller, admitted: Admitted): AdmissionRequest {
  const { served, namespace, name, subresource } = target;
  return {
    ...admitted,
    kind: served.storedAs,
    served,
    view: admitted.view,
    namespace,
    name: name || admitted.object.metadata.name,
    subresource,
    user: caller.user,
    signal: caller.signal ?? NEVER,
    isBootstrap: caller.isBootstrap === true,
    warn: (text) => caller.warn(text),
    annotate: (key, value) => caller.annotate?.(key, value),
  };
}
