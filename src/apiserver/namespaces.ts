/** What is created in a namespace needs it to be there, and not to be on its way out. */
import type { Api, Target } from '#apiserver/api.ts';
import { namespaceTerminating } from '#apiserver/errors.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { notFound } from '#kube/status.ts';

const NAMESPACES = { group: '', plural: 'namespaces' } as const;

/** Checks like these may be made of an object in a namespace that ends. */
const ALLOWED_IN_TERMINATING = new Set(['localsubjectaccessreviews.authorization.k8s.io']);

export function requireNamespace(api: Api, { served, namespace }: Target, name: string): void {
  if (namespace === undefined || !served.kind.namespaced) return;
  const entry = api.store.get(NAMESPACES.plural, { name: namespace });
  if (!entry) throw notFound(NAMESPACES, namespace);
  if (!isBeingDeleted(entry.object) || ALLOWED_IN_TERMINATING.has(served.resource)) return;
  throw namespaceTerminating(served.kind, name, namespace);
}
