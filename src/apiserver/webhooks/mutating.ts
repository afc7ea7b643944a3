/**
 * Webhooks that may change an object: one after the other, each sees what those before it made. When something was
 * changed, the platform's own defaults run once more, and after them those webhooks that asked to see the object again
 * and were called before the change.
 */
import { clone, deepEqual, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { internalError, StatusError } from '#kube/status.ts';
import { decodeAdmitted } from '#apiserver/decode.ts';
import { nothingToModify } from '#apiserver/webhooks/failures.ts';
import type { Hook } from '#apiserver/webhooks/hook.ts';
import type { HookCalls } from '#apiserver/webhooks/hook-calls.ts';
import type { Invocation, Reviewer } from '#apiserver/webhooks/invocation.ts';
import type { Verdict } from '#apiserver/webhooks/verdict.ts';

export class Mutation {
  readonly #hooks: readonly Hook[];
  readonly #calls: HookCalls;
  readonly #reviewer: Reviewer;
  /** Asked already, and willing to be asked again. */
  readonly #asked = new Set<Hook>();
  /** Those of them behind whose back the object changed. */
  readonly #toAskAgain = new Set<Hook>();
  /** What the webhooks left behind. */
  #output: KubeObject | undefined;

  constructor(hooks: readonly Hook[], calls: HookCalls, reviewer: Reviewer) {
    this.#hooks = hooks;
    this.#calls = calls;
    this.#reviewer = reviewer;
  }

  /** The first round; true when a webhook changed the object. */
  async run(): Promise<boolean> {
    let isChanged = false;
    for (const [position, hook] of this.#hooks.entries()) {
      if (await this.#ask(hook, { round: 0, position })) isChanged = true;
    }
    if (isChanged) this.#output = clone(this.#reviewer.request.object);
    return isChanged;
  }

  /** The second and last round, after the platform's own defaults ran again. */
  async runAgain(): Promise<void> {
    if (!deepEqual(this.#output, this.#reviewer.request.object)) this.#remind();
    for (const [position, hook] of this.#hooks.entries()) {
      if (this.#toAskAgain.has(hook)) await this.#ask(hook, { round: 1, position });
    }
  }

  async #ask(hook: Hook, turn: Turn): Promise<boolean> {
    const { request } = this.#reviewer;
    const invocation = this.#reviewer.invocationOf(hook);
    if (!invocation) return false;
    const { configuration, name: webhook } = hook;
    const key = `round_${turn.round}_index_${turn.position}`;
    const verdict = await this.#calls.call(this.#reviewer, invocation);
    if (!verdict) request.annotate(`failed-open.mutation.webhook.admission.k8s.io/${key}`, webhook);
    const mutated = verdict !== undefined && this.#take(invocation, verdict);
    request.annotate(`mutation.webhook.admission.k8s.io/${key}`, JSON.stringify({ configuration, webhook, mutated }));
    if (mutated) this.#remind();
    if (hook.isReinvoked) this.#asked.add(hook);
    return mutated;
  }

  #remind(): void {
    for (const hook of this.#asked) this.#toAskAgain.add(hook);
    this.#asked.clear();
  }

  /** Applies the patch of an answer; true when it changed something. */
  #take({ hook, served }: Invocation, { patch }: Verdict): boolean {
    const { request } = this.#reviewer;
    if (patch === undefined || patch === null || (Array.isArray(patch) && patch.length === 0)) return false;
    if (request.operation === 'DELETE' || (request.view && !request.view.take)) throw nothingToModify(hook.name);
    const shown = this.#reviewer.shown(served, request.object);
    const patched = applied(hook, shown, patch);
    if (deepEqual(shown, patched)) return false;
    const before = clone(request.object);
    if (request.view) request.view.take?.(patched as unknown as KubeObject, request.object);
    else replaceContent(request.object, decodeAdmitted(served, patched));
    // Who owns a field is not for webhooks to say.
    const { managedFields } = before.metadata;
    if (managedFields) request.object.metadata.managedFields = managedFields;
    else delete request.object.metadata.managedFields;
    return !deepEqual(before, request.object);
  }
}

interface Turn {
  readonly round: 0 | 1;
  /** Of the webhook among all. */
  readonly position: number;
}

function applied({ name }: Hook, shown: KubeObject, patch: unknown): Record<string, unknown> {
  try {
    const patched = applyJsonPatch(shown, patch);
    if (isObject(patched)) return patched;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw internalError(
      `the patch of admission webhook ${JSON.stringify(name)} does not apply: ${error.message}`,
      error,
    );
  }
  throw internalError(`the patch of admission webhook ${JSON.stringify(name)} leaves no object`);
}

/** The object of a request is changed in place: others hold it too. */
function replaceContent(object: KubeObject, content: KubeObject): void {
  const members = object as unknown as Record<string, unknown>;
  for (const name of Object.keys(members)) if (!Object.hasOwn(content, name)) delete members[name];
  Object.assign(members, content);
}
