/**
 * Hooks of kinds whose rules live elsewhere, in the order of the real server: `mutate` sees the object once it is
 * decoded and defaulted, `validate` after the object passed its schema and strategy. Either refuses by throwing.
 */
import { fillDefaults } from '#kube/defaults.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { User } from '#apiserver/user.ts';

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** The kind in which the object is stored. */
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Absent for the object itself. */
  readonly subresource: string | undefined;
  /** `mutate` may change it in place. For a DELETE it is the stored object, and frozen. */
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly user: User;
  readonly isDryRun: boolean;
  warn(text: string): void;
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
  fillDefaults(kind.schema, object);
}

export class AdmissionChain {
  readonly #hooks = new Map<string, AdmissionHook[]>();

  constructor(hooks: readonly AdmissionHook[]) {
    for (const hook of hooks) this.#hooks.set(hook.resource, [...(this.#hooks.get(hook.resource) ?? []), hook]);
  }

  async mutate(resource: string, request: AdmissionRequest): Promise<void> {
    const hooks = this.#hooks.get(resource) ?? [];
    for (const hook of hooks) await hook.mutate?.(request);
    if (hooks.length > 0 && request.kind.isCustom && request.operation !== 'DELETE') readAgain(request);
  }

  async validate(resource: string, request: AdmissionRequest): Promise<void> {
    for (const hook of this.#hooks.get(resource) ?? []) await hook.validate?.(request);
  }
}
