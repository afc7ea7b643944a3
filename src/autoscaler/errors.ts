/**
 * The catalogue of what the autoscaler's reconcilers fail with. The texts end up in Warning Events `InternalError`, so
 * they are Knative's.
 */

import { isConflict } from '#kube/status.ts';

/** What went wrong, with what was attempted before it. A lost race stays what it is: it is tried again without a word. */
export function failedTo(attempt: string, cause: unknown): Error {
  if (cause instanceof Error && isConflict(cause)) return cause;
  return new Error(`${attempt}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** A PodAutoscaler's labels don't say whose revision it scales. */
export function missingLabel(label: string, name: string): Error {
  return new Error(`label ${JSON.stringify(label)} not found or empty in Decider ${name}`);
}

/** An object that should be the PodAutoscaler's own is somebody else's. */
export class NotOwnedError extends Error {
  override readonly name = 'NotOwnedError';
  /** For the condition: `There is an existing Metric "x" that we do not own.` */
  readonly condition: { readonly reason: string; readonly message: string };

  constructor(message: string, resource: { readonly kind: string; readonly name: string }) {
    super(message);
    const text = `There is an existing ${resource.kind} ${JSON.stringify(resource.name)} that we do not own.`;
    this.condition = { reason: 'NotOwned', message: text };
  }
}

/** Condition of a PodAutoscaler for which an object could not be made. */
export function failedCreation(kind: string, name: string): { reason: string; message: string } {
  return { reason: 'FailedCreate', message: `Failed to create ${kind} ${JSON.stringify(name)}.` };
}
