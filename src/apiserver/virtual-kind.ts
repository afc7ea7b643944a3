/**
 * Kinds without storage: an object of one can only be created, and is answered at once with what the server makes of it.
 * Access reviews are such, and requests for tokens. They are served, discovered and described like any other kind;
 * what is sent passes the same decoding and admission.
 *
 *     virtualKind({ kind: SelfSubjectReview, answer: ({ object }, { user }) => ({ ...object, status: … }) })
 *     virtualKind({ kind: TokenRequest, under: { kind: ServiceAccount, subresource: 'token' }, answer: … })
 */
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { Caller } from '#apiserver/user.ts';

export interface Asked<T extends KubeObject = KubeObject> {
  /** Of our own, with the namespace and, below another object, the name that stand in the URL. */
  readonly object: T;
  readonly isDryRun: boolean;
}

export interface VirtualKind<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  /** Served as a part of each object of another kind instead of as a resource of its own. */
  readonly under?: { readonly kind: Kind; readonly subresource: string };
  /** Whatever is wrong with the question is thrown as a StatusError. */
  answer(asked: Asked<T>, caller: Caller): KubeObject | Promise<KubeObject>;
}

/** Types an answer by its kind; the registry keeps those of all kinds together. */
export function virtualKind<T extends KubeObject>(virtual: VirtualKind<T>): VirtualKind {
  return virtual;
}
