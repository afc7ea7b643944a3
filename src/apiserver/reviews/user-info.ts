/** A user as reviews show one. */
import type { UserInfo } from '#kube/kinds/authentication/user-info.ts';
import type { User } from '#apiserver/user.ts';

/** What is empty is left out. */
export function userInfoOf({ name, uid, groups, extra }: User): UserInfo {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(extra && Object.keys(extra).length > 0
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }
      : {}),
  };
}
