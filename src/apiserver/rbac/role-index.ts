/**
 * Which rules apply to whom, derived from the store's roles and bindings and kept true by its events: a binding that is
 * acknowledged counts from then on. A question costs what was given to the user and the groups that ask, whatever the
 * number of bindings for others; bindings of one role to one subject count as one.
 *
 *     subject → role → the bindings that give it        once for the cluster, once for each namespace
 */
import { nameOf, namespaceOf, type KubeObject } from '#kube/object.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { Role } from '#kube/kinds/rbac/role.ts';
import { RoleBinding } from '#kube/kinds/rbac/role-binding.ts';
import type { PolicyRule, RoleRef, Subject } from '#kube/kinds/rbac/rules.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import type { Store } from '#store/store.ts';
import { listOf } from '#apiserver/lists.ts';
import { serviceAccountUserName, type User } from '#apiserver/user.ts';

export type Binding = ClusterRoleBinding | RoleBinding;

/** One role that a user has. */
export interface Grant {
  readonly role: RoleRef;
  /** Undefined for a role that is not there. */
  readonly rules: readonly PolicyRule[] | undefined;
  /** One of the bindings that give it. */
  readonly binding: Binding;
}

type BindingsByRole = Map<string, Map<string, Binding>>;
type GrantsBySubject = Map<string, BindingsByRole>;

export class RoleIndex implements Disposable {
  readonly #rules = new Map<string, readonly PolicyRule[]>();
  /** By namespace; '' for those of the whole cluster. */
  readonly #grants = new Map<string, GrantsBySubject>();
  readonly #following = new DisposableStack();

  constructor(store: Store) {
    for (const kind of [ClusterRole, Role]) {
      this.#following.use(follow(store, kind, (object, previous) => this.#setRole(object, previous)));
    }
    for (const kind of [ClusterRoleBinding, RoleBinding]) {
      this.#following.use(follow(store, kind, (object, previous) => this.#setBinding(object, previous)));
    }
  }

  [Symbol.dispose](): void {
    this.#following.dispose();
  }

  /** The roles of a user in the whole cluster and, if one is given, in a namespace. */
  *grants(user: User, namespace: string | undefined): Generator<Grant> {
    const subjects = [userKey(user.name), ...user.groups.map(groupKey)];
    for (const scope of namespace ? ['', namespace] : ['']) {
      const bySubject = this.#grants.get(scope);
      if (!bySubject) continue;
      for (const subject of subjects) {
        for (const bindings of bySubject.get(subject)?.values() ?? []) {
          const [binding] = bindings.values();
          if (binding) yield { role: binding.roleRef, rules: this.rulesOf(binding.roleRef, scope), binding };
        }
      }
    }
  }

  /** @param namespace that of the binding, '' for one of the cluster. */
  rulesOf({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#rules.get(kind === 'Role' ? `${namespace}/${name}` : `/${name}`);
  }

  #setRole(role: Role | ClusterRole | undefined, previous: Role | ClusterRole | undefined): void {
    if (role) this.#rules.set(keyIn(role), listOf(role.rules));
    else if (previous) this.#rules.delete(keyIn(previous));
  }

  #setBinding(binding: Binding | undefined, previous: Binding | undefined): void {
    if (previous) this.#remove(previous);
    if (binding) this.#add(binding);
  }

  #add(binding: Binding): void {
    const scope = namespaceOf(binding);
    const bySubject = memberOf(this.#grants, scope, () => new Map());
    for (const subject of listOf(binding.subjects)) {
      const key = subjectKey(subject, scope);
      if (key === undefined) continue;
      const byRole = memberOf(bySubject, key, () => new Map());
      memberOf(byRole, roleKey(binding.roleRef), () => new Map()).set(nameOf(binding), binding);
    }
  }

  #remove(binding: Binding): void {
    const scope = namespaceOf(binding);
    const bySubject = this.#grants.get(scope);
    for (const subject of listOf(binding.subjects)) {
      const key = subjectKey(subject, scope) ?? '';
      const byRole = bySubject?.get(key);
      const bindings = byRole?.get(roleKey(binding.roleRef));
      bindings?.delete(nameOf(binding));
      if (bindings?.size === 0) byRole?.delete(roleKey(binding.roleRef));
      if (byRole?.size === 0) bySubject?.delete(key);
    }
    if (bySubject?.size === 0) this.#grants.delete(scope);
  }
}

/** The one of a binding's subjects that a user is, by itself or by a group. */
export function subjectOf(user: User, binding: Binding): Subject | undefined {
  const keys = new Set([userKey(user.name), ...user.groups.map(groupKey)]);
  return listOf(binding.subjects).find((subject) => keys.has(subjectKey(subject, namespaceOf(binding)) ?? ''));
}

/** @param namespace of service accounts that name none; those of cluster bindings have to. */
function subjectKey({ kind, name, namespace: own }: Subject, namespace: string): string | undefined {
  switch (kind) {
    case 'User':
      return userKey(name);
    case 'Group':
      return groupKey(name);
    case 'ServiceAccount': {
      const inside = own || namespace;
      return inside ? userKey(serviceAccountUserName({ namespace: inside, name })) : undefined;
    }
    default:
      return undefined;
  }
}

function userKey(name: string): string {
  return `u:${name}`;
}

function groupKey(name: string): string {
  return `g:${name}`;
}

function roleKey({ kind, name }: RoleRef): string {
  return `${kind}/${name}`;
}

function keyIn(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

function memberOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

type Listener<T> = (object: T | undefined, previous: T | undefined) => void;

/** Everything that is there, and then everything that changes. */
function follow<T extends KubeObject>(store: Store, kind: Kind<T>, listener: Listener<T>): Disposable {
  const resource = resourceOf(kind);
  const { objects, revision } = store.list(resource);
  for (const object of objects) listener(object as T, undefined);
  return store.watch(resource, revision, ({ type, object, previous }) => {
    listener(type === 'deleted' ? undefined : (object as T), (previous ?? undefined) as T | undefined);
  });
}
