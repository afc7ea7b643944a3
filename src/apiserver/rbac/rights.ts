/** What the rest of the server may ask about rights: whether somebody may, and what all they may. */
import type { PolicyRule, RoleRef } from '#kube/kinds/rbac/rules.ts';
import type { Store } from '#store/store.ts';
import { type Authorizer, createAuthorizer } from '#apiserver/authorize.ts';
import { RoleIndex } from '#apiserver/rbac/role-index.ts';
import type { User } from '#apiserver/user.ts';

export interface HeldRules {
  readonly rules: readonly PolicyRule[];
  /** Roles that were given and are not there. */
  readonly missing: readonly RoleRef[];
}

export interface Rights extends Disposable {
  readonly authorizer: Authorizer;
  /** By roles only: a member of `system:masters` holds what a binding says. */
  heldBy(user: User, namespace: string | undefined): HeldRules;
  /** Undefined when there is no such role. @param namespace that of the binding, '' for one of the cluster. */
  rulesOf(role: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
}

export function createRights(store: Store): Rights {
  const index = new RoleIndex(store);
  return {
    authorizer: createAuthorizer(index),
    heldBy(user, namespace) {
      const grants = [...index.grants(user, namespace)];
      return {
        rules: grants.flatMap(({ rules = [] }) => rules),
        missing: grants.filter(({ rules }) => rules === undefined).map(({ role }) => role),
      };
    },
    rulesOf: (role, namespace) => index.rulesOf(role, namespace),
    [Symbol.dispose]: () => index[Symbol.dispose](),
  };
}
