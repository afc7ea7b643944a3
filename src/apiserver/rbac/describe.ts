/** What is said of a decision: the binding that allows, the roles that are missing. The words are Kubernetes'. */
import type { RoleRef, Subject } from '#kube/kinds/rbac/rules.ts';
import { nameOf, namespaceOf } from '#kube/object.ts';
import { type Grant, subjectOf } from '#apiserver/rbac/role-index.ts';
import type { User } from '#apiserver/user.ts';

const GROUP = 'rbac.authorization.k8s.io';

export function describeGrant(user: User, { binding, role }: Grant): string {
  const subject = subjectOf(user, binding);
  const name = [nameOf(binding), namespaceOf(binding)].filter((part) => part !== '').join('/');
  const from = `${binding.kind} ${quote(name)} of ${role.kind} ${quote(role.name)}`;
  return `RBAC: allowed by ${from} to ${subject ? describeSubject(subject, namespaceOf(binding)) : ''}`;
}

function describeSubject({ kind, name, namespace }: Subject, ofBinding: string): string {
  return `${kind} ${quote(kind === 'ServiceAccount' ? `${name}/${namespace || ofBinding}` : name)}`;
}

/** A role as whoever authorises misses it (`singular`), or as the API does (`plural`). */
export function missingRole({ kind, name }: RoleRef, number: 'singular' | 'plural'): string {
  return `${kind.toLowerCase()}${number === 'plural' ? 's' : ''}.${GROUP} ${quote(name)} not found`;
}

/** One error as it is, several in brackets, each once. */
export function joinErrors(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
