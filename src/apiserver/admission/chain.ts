/**
 * What has a say in a write beside the kind itself, in the order of the real server: `mutate` sees the object once it
 * is decoded and defaulted, `validate` after the object passed its schema and strategy. Either refuses by throwing.
 * First come the hooks of kinds whose rules live elsewhere in this process, then webhooks, which are other programs.
 */
import { fillIn } from '#kube/custom-shape.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { Operation } from '#apiserver/webhooks/match.ts';
import type { WebhookAdmission } from '#apiserver/webhooks/webhook-admission.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import type { KindName } from '#apiserver/resources.ts';
import type { User } from '#apiserver/user.ts';

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** The kind in which the object is stored. */
  readonly kind: Kind;
  /** As what the object was asked for. */
  readonly served: ServedKind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Absent for the object itself. */
  readonly subresource: string | undefined;
  /** `mutate` may change it in place. For a DELETE it is the stored object, and frozen. */
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly user: User;
  readonly isDryRun: boolean;
  /** CreateOptions and the like, as webhooks see them. */
  readonly options: object | undefined;
  readonly view: WebhookView | undefined;
  /** One of the platform's own first writes, which wait for nobody. */
  readonly isBootstrap: boolean;
  readonly signal: AbortSignal;
  warn(text: string): void;
  /** Says something to the audit log. */
  annotate(key: string, value: string): void;
}

/** How webhooks see a request that is not about the object itself, but about a subresource with a kind of its own. */
export interface WebhookView {
  readonly operation: Operation;
  readonly subresource: string;
  readonly kind: KindName;
  show(object: KubeObject): KubeObject;
  /** Takes what webhooks made of it over into the object; absent where they may not change anything. */
  take?(shown: KubeObject, object: KubeObject): void;
}

export interface AdmissionHook {
  /** What it looks at, as `resourceOf` names it: `services.serving.knative.dev`. */
  readonly resource: string;
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** What webhooks answer is decoded as the custom kind that it is for: named so, and with its defaults. */
function readAgain({ kind, object }: AdmissionRequest): void {
  object.kind = kind.kind;
  fillIn(kind, object);
}

export class AdmissionChain {
  readonly #hooks = new Map<string, AdmissionHook[]>();
  readonly #webhooks: WebhookAdmission | undefined;

  constructor(hooks: readonly AdmissionHook[], webhooks?: WebhookAdmission) {
    this.#webhooks = webhooks;
    for (const hook of hooks) this.#hooks.set(hook.resource, [...(this.#hooks.get(hook.resource) ?? []), hook]);
  }

  async mutate(resource: string, request: AdmissionRequest): Promise<void> {
    await this.#mutateInside(resource, request);
    const mutation = this.#webhooks?.mutationOf(request);
    if (!mutation || !(await mutation.run())) return;
    await this.#mutateInside(resource, request);
    await mutation.runAgain();
  }

  /** A connection is no write: only webhooks have a say in it. */
  async connect(request: AdmissionRequest): Promise<void> {
    await this.#webhooks?.mutationOf(request)?.run();
    await this.#webhooks?.validate(request);
  }

  async #mutateInside(resource: string, request: AdmissionRequest): Promise<void> {
    const hooks = this.#hooks.get(resource) ?? [];
    for (const hook of hooks) await hook.mutate?.(request);
    if (hooks.length > 0 && request.kind.isCustom && request.operation !== 'DELETE') readAgain(request);
  }

  async validate(resource: string, request: AdmissionRequest): Promise<void> {
    for (const hook of this.#hooks.get(resource) ?? []) await hook.validate?.(request);
    await this.#webhooks?.validate(request);
  }
}
